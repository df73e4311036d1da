/** Keeps the last run in the browser, so that closing the page loses nothing. */
const databaseName = 'lmd-playground';
const storeName = 'runs';
const key = 'last';

export interface KeptRun {
  readonly bytes: Uint8Array;
  readonly step: number;
  /** In milliseconds since 1970. */
  readonly time: number;
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(databaseName, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(storeName);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function within<Result>(
  mode: IDBTransactionMode,
  body: (store: IDBObjectStore) => IDBRequest<Result>,
): Promise<Result> {
  const database = await open();
  try {
    return await new Promise<Result>((resolve, reject) => {
      const transaction = database.transaction(storeName, mode);
      const request = body(transaction.objectStore(storeName));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
      transaction.onerror = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

export const keepRun = (run: KeptRun) => within('readwrite', (store) => store.put(run, key));
export const keptRun = () => within<KeptRun | undefined>('readonly', (store) => store.get(key));

/** What to tell the user of a failure to keep a run. */
export function storageProblem(error: unknown): string {
  const isFull = error instanceof DOMException && error.name === 'QuotaExceededError';
  const what = isFull ? "The browser's storage is full" : 'The browser does not let this page store anything';
  return `${what}, so the run is lost when the page is closed. Save it to a file. Training goes on.`;
}
