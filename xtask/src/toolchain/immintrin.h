/* For bindgen's libclang, which is older than the compiler whose headers it reads: it lacks builtins of
   AVX-512, AVX10, AMX and XOP, so their functions are left out. bindgen binds none of them anyway: they
   are inline. Their types are here, and all that is older comes from the compiler's header. */
#ifndef MUSLIN_IMMINTRIN_H
#define MUSLIN_IMMINTRIN_H

#define _AVX512VLVP2INTERSECT_H
#define _AVX512VP2INTERSECT_H
#define __AMXFP8INTRIN_H
#define __AMXMOVRSINTRIN_H
#define __AMX_AVX512INTRIN_H
#define __AMX_TF32INTRIN_H
#define __AVX10_2BF16INTRIN_H
#define __AVX10_2CONVERTINTRIN_H
#define __AVX10_2NIINTRIN_H
#define __AVX10_2SATCVTDSINTRIN_H
#define __AVX10_2_512BF16INTRIN_H
#define __AVX10_2_512CONVERTINTRIN_H
#define __AVX10_2_512NIINTRIN_H
#define __AVX10_2_512SATCVTDSINTRIN_H
#define __AVX512BF16INTRIN_H
#define __AVX512BITALGINTRIN_H
#define __AVX512BWINTRIN_H
#define __AVX512CDINTRIN_H
#define __AVX512DQINTRIN_H
#define __AVX512FINTRIN_H
#define __AVX512FP16INTRIN_H
#define __AVX512VBMI2INTRIN_H
#define __AVX512VLBF16INTRIN_H
#define __AVX512VLBITALGINTRIN_H
#define __AVX512VLBWINTRIN_H
#define __AVX512VLCDINTRIN_H
#define __AVX512VLDQINTRIN_H
#define __AVX512VLFP16INTRIN_H
#define __AVX512VLINTRIN_H
#define __AVX512VLVBMI2INTRIN_H
#define __AVX512VLVNNIINTRIN_H
#define __AVX512VNNIINTRIN_H
#define __AVX512VPOPCNTDQINTRIN_H
#define __AVX512VPOPCNTDQVLINTRIN_H
#define __GFNIINTRIN_H
#define __IFMAINTRIN_H
#define __IFMAVLINTRIN_H
#define __MOVRS_AVX10_2INTRIN_H
#define __MOVRS_AVX10_2_512INTRIN_H
#define __SM4EVEXINTRIN_H
#define __VAESINTRIN_H
#define __VBMIINTRIN_H
#define __VBMIVLINTRIN_H
#define __XOPINTRIN_H

typedef float __m512 __attribute__((__vector_size__(64), __aligned__(64)));
typedef double __m512d __attribute__((__vector_size__(64), __aligned__(64)));
typedef long long __m512i __attribute__((__vector_size__(64), __aligned__(64)));
typedef unsigned char __mmask8;
typedef unsigned short __mmask16;
typedef unsigned int __mmask32;
typedef unsigned long long __mmask64;

#include_next <immintrin.h>

#endif
