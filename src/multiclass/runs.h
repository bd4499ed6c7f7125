/* Moving panels of samples that lie side by side, between memory, where each class is a run far from the
 * others, and buffers that stay in L1: while one panel is computed, the next one's logits come and the
 * last one's gradients go, some classes at a time. A processor does not see so many runs coming; the lines of
 * classes that are a power of two apart would evict each other if a whole panel were fetched ahead; and
 * stores past the cache go out no faster than memory takes them.
 *
 * Gradients go in whole lines, wherever a class begins: what does not fill one waits.
 *
 * Included once per precision, after stream.h and tile.h.
 */

/* About so many lines of logits, and of gradients that take their place in the cache, are on their way. */
#undef FL_LINES_TO_COME
#undef FL_LINES_TO_GO
#define FL_LINES_TO_COME 64
#define FL_LINES_TO_GO 32

struct FN(FlRuns) {
    ptrdiff_t n_classes;
    ptrdiff_t moved; /* classes before this one have come and gone */
    ptrdiff_t panel; /* samples from one panel to the next */
    ptrdiff_t come_ahead, go_ahead; /* classes: FL_LINES_* */
    /* into tiles of all classes; none if n_coming is 0 */
    const REAL *from;
    REAL *tiles;
    ptrdiff_t from_stride, n_coming;
    /* from a row for each class, `panel` long and behind the line that waits; none if n_going is 0 */
    REAL *rows, *to;
    ptrdiff_t to_stride, n_going;
    ptrdiff_t gone; /* samples that have gone or wait */
    int stream; /* past the cache */
};

/* How far it is from run k to that of some classes further on, in the next panel if there is none in this one. */
FL_INLINE ptrdiff_t FN(fl_run_ahead)(const struct FN(FlRuns) * runs, ptrdiff_t k, ptrdiff_t classes,
                                     ptrdiff_t stride)
{
    const ptrdiff_t on = classes < runs->n_classes ? classes : runs->n_classes;
    return on * stride + (k + on < runs->n_classes ? 0 : runs->panel - runs->n_classes * stride);
}

/* p[i]; not by a pointer, since it may be outside the array. */
FL_INLINE const char *FN(fl_address)(const REAL *p, ptrdiff_t i)
{
    return (const char *)((uintptr_t)p + (uintptr_t)i * sizeof(REAL));
}

FL_INLINE void FN(fl_run_comes)(const struct FN(FlRuns) * runs, ptrdiff_t k)
{
    const REAL *from = runs->from + k * runs->from_stride;
    REAL *to = runs->tiles + k * LANES;
    const ptrdiff_t n = runs->n_coming, tile = runs->n_classes * LANES;
    const ptrdiff_t ahead = FN(fl_run_ahead)(runs, k, runs->come_ahead, runs->from_stride);
    ptrdiff_t i = 0;
    /* the end of each line's worth: where that is not aligned, it begins in the line before */
    for (ptrdiff_t j = FL_LINE - 1; j < n; j += FL_LINE)
        FL_PREFETCH(FN(fl_address)(from, ahead + j), 0);
    for (; i + LANES <= n; i += LANES) {
        vstore(to, vload(from + i));
        to += tile;
    }
    if (i < n)
        vstore(to, vload_partial(from + i, n - i, vsplat(R(0.0))));
}

/* How many elements of its line stand before this one */
FL_INLINE ptrdiff_t FN(fl_before)(const REAL *p)
{
    return (ptrdiff_t)(((uintptr_t)p & 63) / sizeof(REAL));
}

FL_INLINE void FN(fl_run_goes)(const struct FN(FlRuns) * runs, ptrdiff_t k, int stream)
{
    REAL *line = runs->rows + k * (runs->panel + FL_LINE), *row = line + FL_LINE;
    REAL *to = runs->to + k * runs->to_stride;
    const ptrdiff_t n = runs->n_going;
    ptrdiff_t i = -FN(fl_before)(to);
    if (!stream) {
        const ptrdiff_t ahead = FN(fl_run_ahead)(runs, k, runs->go_ahead, runs->to_stride);
        for (ptrdiff_t j = FL_LINE - 1; j < n; j += FL_LINE)
            FL_PREFETCH(FN(fl_address)(to, ahead + j), 1);
    }
    if (i < 0 && !runs->gone) {
        const ptrdiff_t first = i + FL_LINE;
        for (i = 0; i < first && i < n; i++)
            to[i] = row[i];
    }
    for (; i + FL_LINE <= n; i += FL_LINE)
        for (ptrdiff_t j = i; j < i + FL_LINE; j += LANES)
            if (stream)
                stream_store(to + j, vload(row + j));
            else
                vstore(to + j, vload(row + j));
    for (ptrdiff_t j = 0; j < FL_LINE; j += LANES)
        vstore(line + j, vload(line + n + j));
}

/* All classes before `until`. */
FL_OUTLINE void FN(fl_runs_move)(struct FN(FlRuns) * runs, ptrdiff_t until)
{
    for (ptrdiff_t k = runs->moved; k < until; k++) {
        if (runs->n_coming)
            FN(fl_run_comes)(runs, k);
        if (runs->n_going && runs->stream)
            FN(fl_run_goes)(runs, k, 1);
        else if (runs->n_going)
            FN(fl_run_goes)(runs, k, 0);
    }
    runs->moved = until;
}

/* All the others, and the panel that went is out of the way. */
FL_INLINE void FN(fl_runs_finish)(struct FN(FlRuns) * runs)
{
    FN(fl_runs_move)(runs, runs->n_classes);
    runs->moved = runs->n_coming = 0;
    if (runs->n_going)
        runs->to += runs->n_going;
    runs->gone += runs->n_going;
    runs->n_going = 0;
}

/* What waits goes, by ordinary stores; the next one that goes is the first. */
FL_OUTLINE void FN(fl_runs_end)(struct FN(FlRuns) * runs)
{
    for (ptrdiff_t k = 0; k < runs->n_classes && runs->gone; k++) {
        const REAL *row = runs->rows + k * (runs->panel + FL_LINE) + FL_LINE;
        REAL *to = runs->to + k * runs->to_stride;
        const ptrdiff_t before = FN(fl_before)(to);
        for (ptrdiff_t i = before < runs->gone ? -before : -runs->gone; i < 0; i++)
            to[i] = row[i];
    }
    runs->gone = 0;
}
