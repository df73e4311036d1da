// The little that the add-on takes from its system. On Windows that is the system itself, not a C library, whose
// start-up code would be a third of the binary.
#ifndef LMD_SYSTEM_H
#define LMD_SYSTEM_H

#include <stddef.h>

#ifdef _WIN32

__declspec(dllimport) void *GetProcessHeap(void);
__declspec(dllimport) void *HeapAlloc(void *heap, unsigned long flags, size_t bytes);
__declspec(dllimport) int HeapFree(void *heap, unsigned long flags, void *memory);

/** Zeros; NULL where there is no memory. */
static inline void *take_memory(size_t bytes) { return HeapAlloc(GetProcessHeap(), 8 /* HEAP_ZERO_MEMORY */, bytes); }
static inline void give_back(void *memory) { HeapFree(GetProcessHeap(), 0, memory); }

/** Entry point on Windows: there is nothing to set up. */
int DllMainCRTStartup(void *library, unsigned long reason, void *reserved);
int DllMainCRTStartup(void *library, unsigned long reason, void *reserved) {
  (void)library, (void)reason, (void)reserved;
  return 1;
}

#else

#include <stdlib.h>

static inline void *take_memory(size_t bytes) { return calloc(1, bytes); }
static inline void give_back(void *memory) { free(memory); }

#endif
#endif
