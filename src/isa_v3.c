/* The kernels for x86-64 v3 (AVX2, FMA). */
#define FL_ISA v3
#include "kernels.inc"
