/* Inverse links of binary losses, besides expit and normal_cdf. */

/* 1 / (1 + e^-2x). Worst error: that of vexpit. */
FL_INLINE V FN(fl_expit_twice)(V x)
{
    return vexpit(x + x);
}

/* 1 - e^(-e^x), the inverse of the complementary log-log. Worst error 2.6 ULP. */
FL_INLINE V FN(fl_inverse_cloglog)(V x)
{
    return -vexpm1(-vexp(x));
}
