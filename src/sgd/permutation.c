/* A random order of rows: Fisher and Yates's shuffle on numbers of splitmix64 (Steele, Lea, Flood 2014). */
#include "kernels.h"

#if defined(__GNUC__)
#define FL_FETCH(address) __builtin_prefetch(address, 1)
#else
#define FL_FETCH(address) ((void)(address))
#endif

enum { AHEAD = 32 };

static uint64_t fl_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Uniform in 0 to bound - 1: Lemire's multiplication (2019) where 32 bits do, else what is left of a mask. */
static uint64_t fl_random_below(uint64_t bound, uint64_t *state)
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

/* The places of the next swaps are drawn and fetched ahead. */
void fl_sgd_permute(int64_t *order, ptrdiff_t n, uint64_t *state)
{
    ptrdiff_t places[AHEAD];
    for (ptrdiff_t end = n; end > 1;) {
        const ptrdiff_t count = end - 1 < AHEAD ? end - 1 : AHEAD;
        for (ptrdiff_t k = 0; k < count; k++) {
            places[k] = (ptrdiff_t)fl_random_below((uint64_t)(end - k), state);
            FL_FETCH(order + places[k]);
        }
        for (ptrdiff_t k = 0; k < count; k++) {
            const ptrdiff_t i = end - 1 - k;
            const int64_t row = order[i];
            order[i] = order[places[k]];
            order[places[k]] = row;
        }
        end -= count;
    }
}
