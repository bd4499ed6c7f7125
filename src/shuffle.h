/* Lanes in another order: the one way to say it for both compilers. And what hot loops ask of the compiler:
 * functions of their own.
 *
 * Included once per precision, after real.h.
 */
#ifndef FL_OUTLINE
/* A hot loop that is to have all registers for itself. */
#if defined(__GNUC__)
#define FL_OUTLINE static __attribute__((noinline, unused))
#else
#define FL_OUTLINE static
#endif
#endif

#undef QUAD
#undef FL_EACH_LANE
#undef FL_SHUFFLE

#if FL_VECTOR_BYTES
#define QUAD ((ptrdiff_t)(16 / sizeof(REAL)))
#else
#define QUAD ((ptrdiff_t)1)
#endif

#if FL_VECTOR_BYTES
#if FL_VECTOR_BYTES * 8 / FL_BITS == 2
#define FL_EACH_LANE(f) f(0), f(1)
#elif FL_VECTOR_BYTES * 8 / FL_BITS == 4
#define FL_EACH_LANE(f) f(0), f(1), f(2), f(3)
#elif FL_VECTOR_BYTES * 8 / FL_BITS == 8
#define FL_EACH_LANE(f) f(0), f(1), f(2), f(3), f(4), f(5), f(6), f(7)
#else
#define FL_EACH_LANE(f) \
    f(0), f(1), f(2), f(3), f(4), f(5), f(6), f(7), f(8), f(9), f(10), f(11), f(12), f(13), f(14), \
        f(15)
#endif

/* f(j) is the source of lane j: below LANES from a, above from b. */
#if defined(__clang__)
#define FL_SHUFFLE(a, b, f) __builtin_shufflevector(a, b, FL_EACH_LANE(f))
#else
#define FL_SHUFFLE(a, b, f) __builtin_shuffle(a, b, (VI){FL_EACH_LANE(f)})
#endif

#define FL_EVEN(j) (2 * (j))
#define FL_ODD(j) (2 * (j) + 1)
#define FL_ALTERNATE(j) ((j) / 2 + (j) % 2 * LANES)
#define FL_ALTERNATE_HIGH(j) (FL_ALTERNATE(j) + LANES / 2)
#define FL_UNPACK(j) ((j) / QUAD * QUAD + (j) % QUAD / 2 + (j) % 2 * LANES)
#define FL_UNPACK_HIGH(j) (FL_UNPACK(j) + QUAD / 2)
#define FL_UNPACK_PAIRS(j) ((j) / 4 * 4 + (j) % 2 + (j) % 4 / 2 * LANES)
#define FL_UNPACK_PAIRS_HIGH(j) (FL_UNPACK_PAIRS(j) + 2)
#endif
