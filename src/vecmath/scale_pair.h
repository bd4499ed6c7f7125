/* Scaled residuals whose size is asked last: what is beyond all squares is rare, and chosen then. */

/* (r + r_lo) (p[0] + p[1]) = returned + *low as fl_scaled_pair(), but of any size: *low is not right, or NaN, where
 * the product overflows or underflows */
FL_INLINE V FN(fl_scale_pair)(V r, V r_lo, const REAL *p, V *low)
{
    const REAL whole = p[0] + p[1], rest = (p[0] - whole) + p[1];
    V error;
    const V product = FN(fl_product)(r, vsplat(whole), &error);
    *low = (error + r * rest) + r_lo * whole;
    return product;
}

/* c - a b, rounded once where c and a b are close */
FL_INLINE V FN(fl_rest_of_product)(V a, V b, V c)
{
#if FL_HAS_FMA
    return FN(fl_fused)(-a, b, c);
#else
    V error;
    const V product = FN(fl_product)(a, b, &error);
    return (c - product) - error;
#endif
}
