/* The softmax of a tile in pairs of numbers, high + low, for Hessians: in p_k (1 - p_k) and its like the rounding errors
 * of exponentials count several times. A loss computes its Hessian apart from the rest, which need not pay for it, and
 * rounds once, at the end; exponentials themselves are good to a third of an ULP.
 *
 * Included once per precision by a loss, after columns.h.
 */
typedef struct {
    V high, low;
} FN(FlPair);

#define pair_of FN(fl_pair_of)
#define pair_sum FN(fl_pair_sum)
#define pair_times FN(fl_pair_times)
#define pair_load FN(fl_pair_load)
#define pair_store FN(fl_pair_store)
#define pair_select FN(fl_pair_select)

FL_INLINE FN(FlPair) pair_of(V x)
{
    const FN(FlPair) p = {x, vsplat(R(0.0))};
    return p;
}

FL_INLINE FN(FlPair) pair_sum(FN(FlPair) a, FN(FlPair) b)
{
    FN(FlPair) s;
    V error;
    s.high = FN(fl_two_sum)(a.high, b.high, &error);
    s.low = error + (a.low + b.low);
    return s;
}

FL_INLINE FN(FlPair) pair_times(FN(FlPair) a, FN(FlPair) b)
{
    FN(FlPair) p;
    V error;
    p.high = FN(fl_product)(a.high, b.high, &error);
    p.low = error + (a.high * b.low + a.low * b.high);
    return p;
}

FL_INLINE FN(FlPair) pair_select(VI mask, FN(FlPair) a, FN(FlPair) b)
{
    const FN(FlPair) p = {vselect(mask, a.high, b.high), vselect(mask, a.low, b.low)};
    return p;
}

FL_INLINE FN(FlPair) pair_load(const REAL *high, const REAL *low, ptrdiff_t k)
{
    const FN(FlPair) p = {vload(high + k * LANES), vload(low + k * LANES)};
    return p;
}

FL_INLINE void pair_store(REAL *high, REAL *low, ptrdiff_t k, FN(FlPair) p)
{
    vstore(high + k * LANES, p.high);
    vstore(low + k * LANES, p.low);
}

/* Rounded once; what an infinite one lacks is not a number */
FL_INLINE V FN(fl_pair_whole)(FN(FlPair) a)
{
    return a.high + vkeep(vabs(a.high) <= REAL_MAX, a.low);
}

FL_INLINE V FN(fl_pair_difference)(FN(FlPair) a, FN(FlPair) b)
{
    const FN(FlPair) minus = {-b.high, -b.low};
    return FN(fl_pair_whole)(pair_sum(a, minus));
}

#if FL_LOOKUP
/* What the entry of fl_exp_sixteenth_scale() lacks of its power, relative to it */
FL_INLINE V FN(fl_exp_sixteenth_lack)(VU i)
{
#if FL_BITS == 64
    static const FL_ALIGNED double lack[] = {4.51268e-19, 1.63331e-17,  2.45159e-17,  -3.45822e-17,
                                             5.19961e-18, 2.96881e-18,  -1.29045e-17, -1.00177e-17,
                                             5.73003e-18, 1.40718e-17,  1.19585e-18,  1.91125e-17,
                                             -4.3612e-18, -1.64086e-17, 2.06891e-17,  1.26405e-17};
#else
    static const FL_ALIGNED float lack[] = {
        2.11655e-08f, 2.02221e-09f,  1.03902e-08f,  -1.49758e-08f, 1.11341e-10f, -9.11072e-09f,
        1.06407e-08f, -8.10054e-09f, -7.66947e-09f, -1.63037e-08f, 6.04e-09f,    -5.21304e-09f,
        1.00286e-08f, 9.03788e-09f,  3.99167e-09f,  1.4458e-09f};
#endif
    return FN(fl_lookup)(lack, i);
}
#endif

/* e^(d + d_low) of a difference and its rounding error, as fl_exp_of_difference() */
FL_INLINE FN(FlPair) FN(fl_exp_pair)(V d, V d_low)
{
    const V bounded = vmax(vsplat(EXP_LOWEST), d), low = vkeep(d >= EXP_LOWEST, d_low);
    FN(FlPair) e;
#if FL_LOOKUP
    const V shift = vround_shift() + R(16.0) * EXP_HEADROOM;
    const V shifted = bounded * (16 * LOG2_E) + shift, n = shifted - shift;
    const V tail = FN(fl_exp_sixteenth_tail)(FN(fl_exp_sixteenth)(bounded, n) + low);
    const V scale = FN(fl_exp_sixteenth_scale)(FN(fl_ubits)(shifted));
    const V sum = scale + scale * tail;
    const V lack = FN(fl_exp_sixteenth_lack)(FN(fl_ubits)(shifted));
    e.low = (((scale - sum) + scale * tail) + sum * lack) * EXP_BACK;
    e.high = sum * EXP_BACK;
#else
    const V shift = vround_shift() + (REAL)(EXPONENT_BIAS + EXP_HEADROOM), one = vsplat(R(1.0));
    const V shifted = bounded * LOG2_E + shift, n = shifted - shift;
    const V first = bounded - n * LN2_HI, r = first - n * LN2_LO;
    const V r_low = ((first - r) - n * LN2_LO) + low, r2 = r * r;
    const V tail = FN(fl_opaque)(r2 * FN(fl_exp_tail)(r, r2));
    const V more = one + r, sum = more + tail;
    const V lost = (((one - more) + r) + ((more - sum) + tail)) + r_low * sum;
    const V scale = FN(fl_from_ubits)(FN(fl_ubits)(shifted) << MANTISSA_BITS);
    e.high = (sum * scale) * EXP_BACK;
    e.low = (lost * scale) * EXP_BACK;
#endif
    return e;
}

/* Of exponentials e^(f_k - max), those of the largest being 1: */
typedef struct {
    FN(FlPair) rest; /* the sum of all but one of the largest */
    FN(FlPair) own; /* the label's */
    FN(FlPair) inverse; /* 1 / (1 + rest) */
} FN(FlPairSoftmax);

FL_INLINE FN(FlPairSoftmax)
    FN(fl_pair_softmax)(const REAL *f, ptrdiff_t n, VI label, REAL *e, REAL *e_low)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    FN(FlPairSoftmax) s = {{zero, zero}, {zero, zero}, {zero, zero}};
    V max = vload(f), count = -one;
    for (ptrdiff_t k = 1; k < n; k++)
        max = vmax(vload(f + k * LANES), max); /* NaN comes back through the exponentials */
    for (ptrdiff_t k = 0; k < n; k++) { /* alone: each is a long chain */
        V error;
        const V x = vload(f + k * LANES), d = FN(fl_two_sum)(x, -max, &error);
        pair_store(e, e_low, k, pair_select(d == zero, pair_of(one), FN(fl_exp_pair)(d, error)));
    }
    for (ptrdiff_t k = 0; k < n; k++) {
        const FN(FlPair) x = pair_load(e, e_low, k);
        const VI is_top = vload(f + k * LANES) == max;
        count = count + vkeep(is_top, one);
        s.rest = pair_sum(s.rest, pair_select(is_top, pair_of(zero), x));
        s.own = pair_select(FN(fl_row_is)(label, k), x, s.own);
    }
    s.rest = pair_sum(s.rest, pair_of(count));
    const FN(FlPair) sum = pair_sum(pair_of(one), s.rest);
    V error;
    s.inverse.high = one / sum.high;
    const V back = FN(fl_product)(s.inverse.high, sum.high, &error);
    s.inverse.low = (((one - back) - error) - s.inverse.high * sum.low) * s.inverse.high;
    return s;
}

/* The sum of all exponentials but this one, which does not cancel */
FL_INLINE FN(FlPair) FN(fl_pair_others)(const FN(FlPairSoftmax) * s, FN(FlPair) e)
{
    const V one = vsplat(R(1.0));
    const FN(FlPair) minus = {-e.high, -e.low};
    return pair_select(e.high == one, s->rest, pair_sum(s->rest, pair_sum(pair_of(one), minus)));
}

/* p (1 - p) and (p - [class k is the label])^2 of class k */
FL_INLINE void FN(fl_pair_squares)(const FN(FlPairSoftmax) * s, FN(FlPair) e, VI is_label,
                                   FN(FlPair) * spread, FN(FlPair) * square)
{
    const FN(FlPair) p = pair_times(e, s->inverse);
    const FN(FlPair) not_p = pair_times(FN(fl_pair_others)(s, e), s->inverse);
    const FN(FlPair) gap = pair_select(is_label, not_p, p);
    *spread = pair_times(p, not_p);
    *square = pair_times(gap, gap);
}
