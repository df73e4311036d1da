export function entrySizes(): Promise<Map<string, number>>;
