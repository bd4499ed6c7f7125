/* Adam, Kingma and Ba (2015), with the decoupled decay of Loshchilov and Hutter (2019) and the maximum of
 * Reddi et al. (2018); torch.optim.Adam's and AdamW's update.
 *
 *     param *= shrink;  g = grad + weight_decay * param       (one of the two is idle)
 *     m = lerp(m, g, 1 - beta1);  v = beta2 v + (1 - beta2) g^2;  largest = max(largest, v)
 *     param -= step_size * m / (sqrt(amsgrad ? largest : v) * root_scale + eps)
 *
 * The corrections of the bias stand in step_size and root_scale: Adam's are lr / (1 - beta1^t) and 1 /
 * sqrt(1 - beta2^t), those of the lazy Adam of rows lr sqrt(1 - beta2^t) / (1 - beta1^t) and 1.
 * States: 0 m, 1 v, 2 largest. c[2] = shrink, c[3] = lerp's coefficient, c[4] = beta2, c[5] = 1 - beta2,
 * c[6] = root_scale, c[7] = eps, c[8] = step_size.
 */
FL_INLINE int FN(adam_states)(int variant)
{
    return FL_STATE(0) | FL_STATE(1) | (variant & FL_ADAM_AMSGRAD ? FL_STATE(2) : 0);
}

FL_INLINE void FN(adam_update)(int variant, const REAL *c, V *param, V grad, V *state)
{
    const V g = FN(fl_descent)(variant & FL_DECAY, c, *param, grad);
    V v;
    state[0] = FN(fl_lerp)(state[0], g, c[3]);
    state[1] = v = c[4] * state[1] + (c[5] * g) * g;
    if (variant & FL_ADAM_AMSGRAD)
        state[2] = v = vmax(state[2], v); /* NaN where v is, and v stays it */
    *param = c[2] * *param - c[8] * (state[0] / (vsqrt(v) * c[6] + c[7]));
}
