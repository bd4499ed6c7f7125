/* Gradients, as param and grad alike, between -c[0] and c[0]; NaN stays. */
FL_INLINE int FN(clamp_states)(int variant)
{
    (void)variant;
    return 0;
}

FL_INLINE void FN(clamp_update)(int variant, const REAL *c, V *param, V grad, V *state)
{
    (void)variant, (void)state;
    *param =
        vmin(vsplat(c[0]), vmax(vsplat(-c[0]), grad)); /* both give their second where it is NaN */
}
