/* Which labels a pointwise loss takes: the tests of losses.def's label domains.
 *
 * Included once per precision, after real.h.
 */

/* in place of a label domain: the labels are checked already */
#define FL_LABELS_CHECKED (-1)

/* 1 in the lanes of samples that exist, and whether each y lies in the domain. */
FL_INLINE VI FN(fl_labels_valid)(V y, int labels)
{
    switch (labels) {
    case FL_LABELS_NONNEGATIVE:
        return (y >= R(0.0)) & (y <= REAL_MAX);
    case FL_LABELS_POSITIVE:
        return (y > R(0.0)) & (y <= REAL_MAX);
    case FL_LABELS_UNIT_INTERVAL:
        return (y >= R(0.0)) & (y <= R(1.0));
    case FL_LABELS_BINARY:
        return (y == R(0.0)) | (y == R(1.0));
    case FL_LABELS_ABOVE_MINUS_ONE:
        return (y > R(-1.0)) & (y <= REAL_MAX);
    default:
        return vabs(y) <= REAL_MAX;
    }
}

/* The labels' domain is checked by bits collected over a run of samples, in one or two operations a
 * vector, and read once at its end. A doubt (a label of -0) costs an exact search: fl_find_invalid. */
FL_INLINE VI FN(fl_labels_collect)(VI seen, V y, int labels, const REAL *p)
{
    switch (labels) {
    case FL_LABELS_ABOVE_MINUS_ONE:
        return vbits(vselect(y <= R(-1.0), vsplat((REAL)NAN), vfrom_bits(seen)) + R(0.0) * y);
    case FL_LABELS_BOUNDED:
        return vbits(vselect((y < p[FL_LEAST_LABEL]) | (y == p[FL_EXCLUDED_LABEL]),
                             vsplat((REAL)NAN), vfrom_bits(seen)) +
                     R(0.0) * y);
    case FL_LABELS_CLASSES: /* the integers from 0 to the last, which is below 2^22 */
        return seen | vbits(vselect((y >= R(0.0)) & (y <= p[FL_LAST_CLASS]) &
                                        ((y + vround_shift()) - vround_shift() == y),
                                    vsplat(R(0.0)), vsplat(R(1.0))));
    case FL_LABELS_NONNEGATIVE:
        return seen | vbits(R(0.0) * y);
    case FL_LABELS_POSITIVE:
        return seen | vbits(R(0.0) * y) | (y == R(0.0));
    case FL_LABELS_UNIT_INTERVAL:
    case FL_LABELS_BINARY: /* y - y^2: 0 for y = 0 and 1, in (0, 1/4] between, else negative or NaN */
        return seen | vbits(y - y * y);
    default:
        return vbits(vfrom_bits(seen) + R(0.0) * y);
    }
}

/* What is in the bits of NaN, and in none of those of a number below 2 */
#define FL_EXPONENT_TOP ((INT)1 << (FL_BITS - 2))

FL_INLINE int FN(fl_labels_doubtful)(VI seen, int labels)
{
    switch (labels) {
    case FL_LABELS_UNIT_INTERVAL:
        return vany(seen & (FL_EXPONENT_TOP | ~(INT)(~(UINT)0 >> 1)));
    case FL_LABELS_FINITE:
    case FL_LABELS_ABOVE_MINUS_ONE:
    case FL_LABELS_BOUNDED:
        return vany(seen & FL_EXPONENT_TOP);
    default:
        return vany(seen);
    }
}
