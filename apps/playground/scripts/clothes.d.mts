export declare const clothesFile: string;
export declare function readClothes(): Promise<{
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
  readonly shape: readonly [count: number, height: number, width: number];
}>;
