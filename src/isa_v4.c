/* The kernels for x86-64 v4 (AVX-512 F, BW, CD, DQ, VL). */
#define FL_ISA v4
#include "kernels.inc"
