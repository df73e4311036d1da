export declare function buildSite(stdio?: 'inherit' | 'pipe'): void;
