/* Rows that are fetched ahead. */
#ifndef FL_SGD_FETCH_H
#define FL_SGD_FETCH_H

enum {
    FL_SGD_FETCHED = 8192, /* bytes of rows of a batch, about as many as memory brings at a time */
    FL_SGD_FAR_AHEAD = 40, /* rows, at most */
    FL_SGD_VALUES_AHEAD = 64
};

/* All lines of a row, each row in as many steps: where one ends within a line, another on its edge, no branch could
 * tell beforehand. Into the second cache: the first one can wait for fewer lines at a time than memory brings. */
FL_INLINE void fl_sgd_fetch_far(const void *row, ptrdiff_t n_bytes)
{
    const char *from = (const char *)row;
    for (ptrdiff_t at = 0; at < n_bytes; at += 64)
        FL_PREFETCH_FAR(from + at);
    FL_PREFETCH_FAR(from + n_bytes - 1);
}

/* The same into the first cache, of a row that was fetched before. */
FL_INLINE void fl_sgd_fetch(const void *row, ptrdiff_t n_bytes)
{
    const char *from = (const char *)row;
    for (ptrdiff_t at = 0; at < n_bytes; at += 64)
        FL_PREFETCH(from + at, 0);
    FL_PREFETCH(from + n_bytes - 1, 0);
}

#endif
