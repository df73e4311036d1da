#ifndef LMD_ATTRIBUTES_H
#define LMD_ATTRIBUTES_H

#define ALWAYS_INLINE __attribute__((always_inline))
#define NEVER_INLINE __attribute__((noinline))

#endif
