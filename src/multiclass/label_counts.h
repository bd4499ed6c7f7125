/* How many samples of a block each class has: what the mean divides by, times the class weights.
 *
 * Included once, for float64, after array_io.inc and multiclass/tile.h.
 */
#define FL_COUNTED_IN_BYTES 16 /* up to so many classes, eight counters stand in a word, ... */
#define FL_COUNTED_APART 128   /* ... and up to so many neighbours have counters of their own */

/* Eight bytes of each lane to the counters of eight classes */
FL_INLINE void fl_add_bytes(VU bytes, ptrdiff_t n, int64_t *counts)
{
    uint64_t lanes[LANES];
    memcpy(lanes, &bytes, sizeof lanes);
    for (ptrdiff_t k = 0; k < n; k++)
        for (ptrdiff_t l = 0; l < LANES; l++)
            counts[k] += (int64_t)(lanes[l] >> (8 * k) & 255);
}

/* Of a multiple of LANES labels. */
FL_OUTLINE int fl_count_in_bytes(const int64_t *labels, ptrdiff_t n, int64_t n_classes,
                                 int64_t ignored, int64_t *counts)
{
    const uint64_t classes = (uint64_t)n_classes;
    const ptrdiff_t first = n_classes < 8 ? n_classes : 8;
    VI bad = vsplat_int(0);
    for (ptrdiff_t i = 0; i < n;) {
        const ptrdiff_t end = n - i > 255 * LANES ? i + 255 * LANES : n;
        VU low = (VU)vsplat_int(0), high = low;
        for (; i < end; i += LANES) {
            VI label;
            memcpy(&label, labels + i, sizeof label);
            const VU at = (VU)label;
            const VU one = (VU)vsplat_int(1) << ((at & 7) * 8);
            bad = bad | ((at >= classes) & (label != ignored));
            low += (VU)vbits(vkeep((at < classes) & (at < 8), vfrom_bits((VI)one)));
            if (n_classes > 8)
                high += (VU)vbits(vkeep((at < classes) & (at >= 8), vfrom_bits((VI)one)));
        }
        fl_add_bytes(low, first, counts);
        if (n_classes > 8)
            fl_add_bytes(high, n_classes - 8, counts + 8);
    }
    return vany(bad);
}

/* By counters in memory: an increment waits for the last one of the same, and neighbours are often of one class. */
FL_OUTLINE int fl_count_apart(const int64_t *labels, ptrdiff_t n, int64_t n_classes,
                              int64_t ignored, int64_t *counts)
{
    int64_t more[3][FL_COUNTED_APART + 1], any = 0;
    int64_t *of[4] = {counts, counts, counts, counts}, outside[4] = {0, 0, 0, 0};
    if (n_classes <= FL_COUNTED_APART)
        for (int m = 0; m < 3; m++) {
            of[m + 1] = more[m];
            memset(more[m], 0, sizeof more[m]);
        }
    for (ptrdiff_t i = 0; i < n; i++) {
        const int64_t label = labels[i];
        const int inside = (uint64_t)label < (uint64_t)n_classes;
        any |= !inside & (label != ignored);
        *(inside ? of[i & 3] + label : outside + (i & 3)) += 1;
    }
    if (n_classes <= FL_COUNTED_APART)
        for (ptrdiff_t k = 0; k < n_classes; k++)
            counts[k] += more[0][k] + more[1][k] + more[2][k];
    return any != 0;
}

#define FL_COUNT_INSIDE(TYPE, UNSIGNED) \
    { \
        const TYPE *label = block->unread; \
        const UNSIGNED classes = (UNSIGNED)block->n_classes; \
        int64_t inside = 0, bad = 0; \
        for (ptrdiff_t i = 0; i < n; i++) { \
            const TYPE v = label[i]; \
            inside += (UNSIGNED)v < classes; \
            bad |= ((UNSIGNED)v >= classes) & (v != ignored); \
        } \
        counts[0] += inside; \
        return bad != 0; \
    }

/* Adds those of the unread labels of a block to n_classes counters, or unless `by_class` to one; whether there is
 * an invalid one. */
static int fl_count_labels(const FlRowBlock *block, int by_class, int64_t *counts)
{
    const ptrdiff_t n = block->n_samples, n_classes = block->n_classes;
    /* a class is never outside */
    const int64_t ignored = block->has_ignored ? block->ignored : 0;
    int64_t some[1024];
    int bad = 0;
    if (!by_class && block->unread_size == 8)
        FL_COUNT_INSIDE(int64_t, uint64_t)
    if (!by_class)
        FL_COUNT_INSIDE(int32_t, uint32_t)
    for (ptrdiff_t i = 0; i < n;) {
        const int64_t *labels = (const int64_t *)block->unread + i;
        ptrdiff_t m = n - i, whole = 0;
        if (block->unread_size != 8) {
            m = m < 1024 ? m : 1024;
            fl_read_label_run(FL_DTYPE_INT32, 0, (const char *)block->unread + 4 * i, 4, m, some);
            labels = some;
        }
        if (n_classes <= FL_COUNTED_IN_BYTES) {
            whole = m - m % LANES;
            bad |= fl_count_in_bytes(labels, whole, n_classes, ignored, counts);
        }
        if (whole < m)
            bad |= fl_count_apart(labels + whole, m - whole, n_classes, ignored, counts);
        i += m;
    }
    return bad;
}
