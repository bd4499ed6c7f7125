/* The instruction set being compiled: how wide a vector is, and whether a multiply-add is fused.
 *
 * Every isa_<name>.c includes this first. Nothing here depends on the machine that compiles: the
 * width follows from the flags that setup.py gave this one file.
 */
#ifndef FL_TARGET_H
#define FL_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* FL_SCALAR asks for one lane a vector: plain C11, for compilers without vector types (MSVC). */
#if !defined(FL_SCALAR) && !defined(__GNUC__)
#define FL_SCALAR 1
#endif

#if defined(FL_SCALAR)
#define FL_VECTOR_BYTES 0
#elif defined(__AVX512F__)
#define FL_VECTOR_BYTES 64
#elif defined(__AVX__)
#define FL_VECTOR_BYTES 32
#else
#define FL_VECTOR_BYTES 16
#endif

/* True where a*b+c is one rounding. Needed where an exact product is worth a different algorithm;
 * everywhere else a*b+c is written plainly and the compiler fuses it where it can. */
#if defined(__FMA__) || defined(__aarch64__) || defined(_M_ARM64) || defined(__FP_FAST_FMA)
#define FL_HAS_FMA 1
#else
#define FL_HAS_FMA 0
#endif

#if FL_VECTOR_BYTES && defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__GNUC__)
#define FL_INLINE static inline __attribute__((always_inline, unused))
#define FL_NOINLINE __attribute__((noinline))
#define FL_RESTRICT __restrict__
#define FL_LIKELY(x) __builtin_expect(!!(x), 1)
#define FL_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define FL_ALIGNED __attribute__((aligned(64)))
/* A line that will be read (0) or written (1) soon. The kernels alternate between steps that compute and
 * steps that move memory; the former can fetch for the latter. */
#define FL_PREFETCH(address, write) __builtin_prefetch(address, write)
#define FL_PREFETCH_FAR(address) __builtin_prefetch(address, 0, 2)
#else
#define FL_INLINE static inline
#define FL_NOINLINE
#define FL_RESTRICT __restrict
#define FL_LIKELY(x) (x)
#define FL_UNLIKELY(x) (x)
#define FL_ALIGNED __declspec(align(64))
#define FL_PREFETCH(address, write) ((void)(address))
#define FL_PREFETCH_FAR(address) ((void)(address))
#endif

#endif
