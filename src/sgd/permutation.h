/* A random order of rows: Fisher and Yates's shuffle on numbers of splitmix64 (Steele, Lea, Flood 2014). The same
 * order whatever the instruction set. Included once. */

enum { FL_DRAWN = 32 };
#define FL_RANDOM_STEP UINT64_C(0x9e3779b97f4a7c15)

FL_INLINE uint64_t fl_random_at(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

FL_INLINE uint64_t fl_random(uint64_t *state)
{
    return fl_random_at(*state += FL_RANDOM_STEP);
}

/* Uniform in 0 to bound - 1: Lemire's multiplication (2019) where 32 bits do, else what is left of a mask. */
FL_INLINE uint64_t fl_random_below(uint64_t bound, uint64_t *state)
{
    if (bound <= UINT32_MAX) {
        uint64_t product = (fl_random(state) >> 32) * bound;
        if ((uint32_t)product < bound) {
            const uint32_t least = (uint32_t)(-(uint32_t)bound) % (uint32_t)bound;
            while ((uint32_t)product < least)
                product = (fl_random(state) >> 32) * bound;
        }
        return product >> 32;
    }
    uint64_t mask = bound - 1, x;
    for (int shift = 1; shift < 64; shift *= 2)
        mask |= mask >> shift;
    do
        x = fl_random(state) & mask;
    while (x >= bound);
    return x;
}

FL_INLINE void fl_swap(int64_t *a, int64_t *b)
{
    const int64_t kept = *a;
    *a = *b;
    *b = kept;
}

/* Numbers below each of FL_DRAWN bounds, the first of which is `bound`. At once, where one vector takes eight: unless
 * one of them might have to be drawn again. */
FL_INLINE void fl_draw(uint64_t bound, uint64_t *state, uint64_t drawn[FL_DRAWN])
{
#if FL_VECTOR_BYTES == 64
    if (bound <= UINT32_MAX >> 8) { /* beyond, one of them often might */
        uint64_t doubtful = 0;
        for (uint64_t k = 0; k < FL_DRAWN; k++) {
            const uint64_t z = fl_random_at(*state + (k + 1) * FL_RANDOM_STEP);
            const uint64_t product = (z >> 32) * (bound - k);
            doubtful |= (product & UINT32_MAX) < bound - k;
            drawn[k] = product >> 32;
        }
        if (FL_LIKELY(!doubtful)) {
            *state += FL_DRAWN * FL_RANDOM_STEP;
            return;
        }
    }
#endif
    for (uint64_t k = 0; k < FL_DRAWN; k++)
        drawn[k] = fl_random_below(bound - k, state);
}

/* The places of the next swaps are drawn and fetched ahead. */
static void fl_sgd_permute(int64_t *order, ptrdiff_t n, uint64_t *state)
{
    uint64_t places[FL_DRAWN];
    ptrdiff_t end = n;
    for (; end > FL_DRAWN; end -= FL_DRAWN) {
        fl_draw((uint64_t)end, state, places);
        for (ptrdiff_t k = 0; k < FL_DRAWN; k++)
            FL_PREFETCH(order + places[k], 1);
        for (ptrdiff_t k = 0; k < FL_DRAWN; k++)
            fl_swap(order + end - 1 - k, order + places[k]);
    }
    for (; end > 1; end--)
        fl_swap(order + end - 1, order + fl_random_below((uint64_t)end, state));
}
