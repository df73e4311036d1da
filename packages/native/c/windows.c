// What the compiler takes from a C library, which on Windows the add-on has none of. It is compiled without the
// compiler's knowledge of these functions, which would turn their loops into calls of themselves.
#ifdef _WIN32

#include <stddef.h>

typedef struct {
  unsigned long long first, last;
} __attribute__((packed, may_alias)) sixteen_bytes;

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memset(void *to, int value, size_t bytes);

void *memcpy(void *restrict to, const void *restrict from, size_t bytes) {
  size_t i = 0;
  for (; i + 16 <= bytes; i += 16)
    *(sixteen_bytes *)((char *)to + i) = *(const sixteen_bytes *)((const char *)from + i);
  for (; i < bytes; i++) ((char *)to)[i] = ((const char *)from)[i];
  return to;
}

void *memset(void *to, int value, size_t bytes) {
  const unsigned long long eight = 0x0101010101010101u * (unsigned char)value;
  size_t i = 0;
  for (; i + 16 <= bytes; i += 16) *(sixteen_bytes *)((char *)to + i) = (sixteen_bytes){eight, eight};
  for (; i < bytes; i++) ((unsigned char *)to)[i] = (unsigned char)value;
  return to;
}

#else

typedef int no_windows;

#endif
