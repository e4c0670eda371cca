/* jws_vectors.h: what Project Wycheproof publishes about JSON Web Signatures with ES256 and RS256.
 *
 * Facts from github.com/C2SP/wycheproof, testvectors/json_web_signature_test.json: of its groups
 * "es256" and "rs256" the keys, the right tokens, what was made of them, and ten of the many
 * signatures whose PKCS #1 padding was changed by somebody who has the key. */
#ifndef JWS_VECTORS_H
#define JWS_VECTORS_H

#include <stdbool.h>

#define P256                                                                                       \
	"{\"alg\":\"ES256\",\"use\":\"sig\",\"kid\":\"kid-ec-sign\",\"kty\":\"EC\","               \
	"\"crv\":\"P-256\",\"x\":\"04N0xi21hshyvBp7I167sbE_bXqyqkAPfefdklMO7wY\","                 \
	"\"y\":\"UI8exy-C06a7DUnjIdENkxeFtHM4-l_41LqEw9nVgmw\"}"
#define RSA                                                                                        \
	"{\"alg\":\"RS256\",\"use\":\"sig\",\"kid\":\"kid-rsa-sign\",\"kty\":\"RSA\","             \
	"\"e\":\"AQAB\",\"n\":\"kqGboBfAWttWPCA-0cGRgsY6SaYoIARt0B_PkaEcIq9HPYNdu9n6UuWHuuTHr"     \
	"jF_ZoQW97r5HaAorNvrMEGTGdxCHZdEtkHvNVVmrtxTBLiQCbCozXhFoIrVcr3qUBrdGnNn_M3jJi7Wg7p_"      \
	"-x62nS5gNG875oyheRkutHsQXikFZwsN3q_TsPNOVlCiHy8mxzaFTUQGm-X8UYexFyAivlDSjgDJLAZSWfxd"     \
	"7k9Gxuwa3AUfQqQcVcegmgKGCaErQ3qQbh1x7WB6iopE3_-GZ8HMAVtR9AmrVscqYsnjhaCehfAI0iKKs8zX"     \
	"r8tISc0ORbaalrkk03H1ZrsEnDKEWQ\"}"

#define ES "eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0"
#define ES_SIGNED                                                                                  \
	"cA0OHyMP7ezamUd5c9kV-FrGxdx4hbGXOdplQkutrqWrte5P-pAvsE3Ve6xSyU3YDQwUHjVVOtvcrEbbnZ8yA"
#define RS "eyJhbGciOiJSUzI1NiIsImtpZCI6ImtpZC1yc2Etc2lnbiJ9"
#define RS_SIGNED                                                                                  \
	"UwxI1-cZrZgcuOgBQ7G7NE-GrqK79l6GV1KT4DKXnSMFwC8pfZCzE7pmLE7mYpLCIvzC87yuOjuhT0uW5oe6"     \
	"aaAEtR978cm-q8dfly45flqMrd_ifhi9GCsMlyi8dpQ42Ou1etZljFZuWjfyk8CN1c5DaHRwhqjScAPIFp6x"     \
	"mzKIRUJ_xdQfUSfSlujLaixtScU518EoNP4oo1v7E8RAz6ZO4g2N4Xqs8OvSxYydcoTEg42QnLHe9JnXgI37"     \
	"Q5gSwinwaPsG3Ry56UYiLoL8mCUa74S51y02VsIgVmmGWgaXjM-i_lCiKQDBiBnvWlka4XhVuvd6ZWibM9cb"     \
	"CPtPg"
#define PADDED(signature) RS ".Zm9v." signature

static const struct jws_vector {
	unsigned id; /* their tcId */
	const char *comment, *key, *token;
	bool valid;
} jws_vectors[] = {
	{18, "acceptsValid", P256, ES ".Zm9v.5" ES_SIGNED, true},
	{19, "rejectsModifiedSignature", P256, ES ".Zm9v.X" ES_SIGNED, false},
	{20, "rejectsMissingSignature", P256, ES ".Zm9v.", false},
	{21, "rejectsMissingSignatureAndSeparator", P256, ES ".Zm9v", false},
	{22, "rejectsModifiedPayload", P256, ES ".WG9v.5" ES_SIGNED, false},
	{23, "rejectsMissingPayload", P256, ES "..5" ES_SIGNED, false},
	{24, "rejectsMissingPayloadAndSeparator", P256, ES ".5" ES_SIGNED, false},
	{25, "rejectsModifiedHeader", P256,
		"eyJhbGciOiJFUzI1NiIsImtpZCI6IlhpZC1lYy1zaWduIn0.Zm9v.5" ES_SIGNED, false},
	{26, "rejectsMissingHeader", P256, ".Zm9v.5" ES_SIGNED, false},
	{27, "rejectsMissingHeaderAndSeparator", P256, "Zm9v.5" ES_SIGNED, false},
	{28, "rejectsMissingHeaderAndSignature", P256, ".Zm9v.", false},
	{29, "rejectsMissingHeaderSignatureAndSeparators", P256, "Zm9v", false},
	{30, "rejectsEmptyString", P256, "", false},
	{31, "rejectsSymmetryConfusionAttacks_aesKeyFromEcVerificationKeyBytes", P256,
		"eyJhbGciOiJIUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0.Zm9v."
		"TgWtz2FIRukBQ_mA5sgHa0Ybtgn7bl-YBPAi7Z0XdHU",
		false},
	{32, "rejectsAttackerProvidedEmbeddedJwk", P256,
		"eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIiwiandrIjp7Imt0eSI6IkVDIiwia2lkIjoia2"
		"lkLWVjLXNpZ24iLCJ1c2UiOiJzaWciLCJhbGciOiJFUzI1NiIsIngiOiJNZG5UWkRJaERKYmZBU2RGcWFt"
		"Y3BPMkNoOUdOS0sybTBNUWxoNDAyU3BvIiwieSI6Ijdhdko0bHFfV3l4LW5MUERCUTJZcHl0dUh5TWlvMD"
		"dCVXl2bDNqYUMtMVkiLCJjcnYiOiJQLTI1NiJ9fQ.Zm9v."
		"4jmsollQD8ZxvySzXYnIEYA4fwaZi2ZbC0aI1J4LYmW2Bn31NhKdjms2N6o51Dff5-InWXQF9m45VtTexl"
		"6yjg",
		false},
	{33, "acceptsValid", RSA, RS ".Zm9v.H" RS_SIGNED, true},
	{34, "rejectsModifiedSignature", RSA, RS ".Zm9v.X" RS_SIGNED, false},
	{35, "rejectsMissingSignature", RSA, RS ".Zm9v.", false},
	{36, "rejectsMissingSignatureAndSeparator", RSA, RS ".Zm9v", false},
	{37, "rejectsModifiedPayload", RSA, RS ".WG9v.H" RS_SIGNED, false},
	{38, "rejectsMissingPayload", RSA, RS "..H" RS_SIGNED, false},
	{39, "rejectsMissingPayloadAndSeparator", RSA, RS ".H" RS_SIGNED, false},
	{40, "rejectsModifiedHeader", RSA,
		"eyJhbGciOiJSUzI1NiIsImtpZCI6IlhpZC1yc2Etc2lnbiJ9.Zm9v.H" RS_SIGNED, false},
	{46, "lengthOfSequenceUsesLongFormEncoding", RSA,
		PADDED("KudI1-Bo-NhWAmNYu-aEGQA3ciNp-gKgGJETRino-l25uRh9peU1GWjmFfnda0SSZK8msCFMQ-i"
		       "bIZxkwC1CUjxBRNwG1LqVtBa2mHtedT3lxKaS0nAQAzhsg0XWAEUjgnH1qtsYXknGzh-Vi_"
		       "uVsu2"
		       "yfPy6YhH9_8Ian984VRMzitHDzeNVcm1jc4vcB6iFicSl4cXWSijLxJSlVkDqMi8Neb3Zw-"
		       "NQI3m"
		       "QIt_3Eq51MncS-1vLBr0_qdAFREXVduyb-"
		       "gRzgGSrE2pMxEO4Bbp5fvYnjaKsSdtNVvzayKwBDO4"
		       "18mfGzRbQyzpR2EeAFGIAkVRb_Mfh7Uil8nhBeg"),
		false},
	{47, "lengthOfSequenceContainsALeading0", RSA,
		PADDED("X8GIjUhtXgLeqJWHkaPaofWGF3PEJx0NpL8aj6sMI7d_gJyhERVrTvZQDEStdB6u3KLWPFc546R"
		       "qawGYVaFEi_DmlIDfULOOx0bIxp1SDkDLHCaGXKq4pFd_vKngHu-Q2hr4A8WxdO-"
		       "zaU99MSvlGrf"
		       "UD5tdSpSV1yfdxSz0NRX0e60jA4Jx9iUbbC5i9iKj9DrxEmXm_EOygBiOlAH4_"
		       "DfryfggoIFt3sp"
		       "0LGcEEHsDc_oeFChLatwHhoSFqhK-ak-GF4Zsz8VW0K14gCufcNyWM4W-"
		       "Qnv9UvHZaq39LE5akGU"
		       "c7DxTFcnriw0gs1CtLl-u4-8vma6bBkHTanQ92Q"),
		false},
	{49, "lengthOfSequenceUses48InsteadOf49", RSA,
		PADDED("PLykI28j5VLdVstbF135Xjj-10-NiV5Ewyzb3o_uL-jhfXtwSxhuCilHDYDHpv-pmP74XCtHLd6"
		       "sNXuQbLjHm0J_"
		       "FAN3yZk55rewcRKoMooGwWfszTtqgjlpW5I288YPeQTijpi599wF4hZrE6K1bEd"
		       "OF5cyo8nopaQUqHV6cHYy1sGQJA6z7bODdyJ-jF9nK8lbZB58ZC4_KUVX3Jxr9l_"
		       "B1yyvvSjJird"
		       "dVpoGFlF4Qa9VenQ8QCCY9ir8zTNAUAqjHh5BD4U-F60_0rXQKkC5tSDb0O_"
		       "jFBpQ8LLKMEvxqjr"
		       "hwN6Zx3IyaewEgV6e4gTZwxqyKJItlui7cWTZIg"),
		false},
	{50, "uint32OverflowInLengthOfSequence", RSA,
		PADDED("Vf-IHTRVGWNW2tlzp2LQWJjc2-7uhs40dRxRbF2mslzO3YFZ0IVUfCqVbIiD__08TLwLiVV0q1b"
		       "IkdRyr5UcmEsZJlvHInz2zFLSgT7PSjmGbmSCNQdYo-Uc-"
		       "Ei5qPMrbJ46885rzjyH549WHq4P5tC"
		       "11cUGneVAKrFEEVv4uWnZSb4v4w-1TjsRE6_"
		       "a4KpMCbJuRmtIP727d8uAiX3MLEhAbzzXWXJd7yK"
		       "_gH5NZDz0-TzCZ11usL1RixS4lmOD1uvNqbbKyFCUTSn0ImCZHv5t2IZ0_PjzznO1_"
		       "h87spXZpZS"
		       "nPVG1nsKJo-OL-je-yLIz3Hirn6gSdLsnM2P2ZQ"),
		false},
	{57, "incorrectLengthOfSequence", RSA,
		PADDED("I0slX9oi9CiihNJsaYV7aryZDf4TzqhKMECNJg8MxMnFPlRQIf41uX6zQW9QkhUp5ae0-P1XRdr"
		       "f1uFZRyw8nSOXFTdAJ_ubioiIGIHiTi6ELTqtixo4T6vJ_GnL_0GllnNEhMBTWD89DTkZb-Jy-"
		       "S7"
		       "S5kCUrpg0ThcCg8EULiFeFa0RNvRGHuePonIRm1jyK-uHeQe2S-"
		       "hjUx9Uh6CQEQjXDZxRyf17qpr"
		       "2hXyhUXvIYRphWUTdqZdDroWUDkE2UV2MgB8JVggaUMFA0Y1Lk7Wlub86w-"
		       "ES7SiEdJwHihmsv8X"
		       "iW1xBR5kmXYSwAeUVhZlLuMMLVrg6IfkLW9GkEA"),
		false},
	{59, "removingSequence", RSA,
		PADDED("F7S3oL6racMAA7D3H1UrEo1Ecr8YRxkUQs32K4IFWoAQPU8Tg0_6j23zOJncfho_BYfvC5UKejY"
		       "FcYC6JIv3rPomgWuToiSvTpOk9HAuHmV5EMhsOZfLdsH0qVcuZSjLXR_w7m_"
		       "Ljo8MQ9gwZerD3FB"
		       "Dxi6js7wuckcqEz_thjtatHia9bR4VvQ4SymBTnvW_ZudQwD_"
		       "6afcqu72P223hJc7gTXPH9dgmm8"
		       "E7Iz1R0_s5p54_3DWnbzw9DPB-zeRJI9M0oYpJl2BVawpYPTGYqez2HLKRCigbvzz-"
		       "Q8SEKoheks"
		       "RGue-ZSQsZlAWw0abqhqulnVZyMjuluD2AU4r9g"),
		false},
	{62, "prepending0'sToSequence", RSA,
		PADDED("b_xZHj8AFrNA9EI8Hv73bCPoq9YC-NVpVZoeT9U3X0a6CyADgwQSsrE7C1Pr7vZxCPB00Q-2Pvk"
		       "YWyDcp2T2jZZnB-Bb4W8u1zZtmTWb8fGqmRXox7g9QLQfNg_HBkHrXaAToqgM3luAX-"
		       "SOZW8IjT8"
		       "vB-OWMLeX7ogAeHvN8yRgNMdLel-1XxEJktgXjEaLfbFEwWghMwH26XRp1aWRZXsLhuFAL3cn_"
		       "iI"
		       "UOt3TVV6ddEWlR_IxTUz7Vh5vflxawKWdczZr0s2UjnM-"
		       "apI3JKxl2mrmApiOgCzhxbHkGBpxgnS"
		       "7D1yVNYJjWqGJf2VN4r4sIWmVeGaVRnurlWFgBA"),
		false},
	{65, "prependingGarbageToSequence", RSA,
		PADDED("gGiMG7eFAmzKURltavf4D_Qkm4oRLNnUYr3N-PgKarTML45mt6nNsWxMcYb_Iflt0t94UPQ761Z"
		       "uT3vo7nbxqlUlJU9d88Ul41gnnUucChC42LqhjBc2UgmZp0A7RxLWRW9RgT_jT_"
		       "wpACTHhcsrXvZ"
		       "ZNBfbPmH4BbJSO7dxiHYB7OUStTYH_6juiEcczEf1eaTYRj9TjkrdUavtGCF6sqzg5-"
		       "VYleoPHAw"
		       "blNSONKTOGzztICqYCYN_FB8SWPAbYZmxjjfSwddzFu_B0G5iByiQ5lMwbbK2aY8EH5Knm-"
		       "uGtyE"
		       "_jDzIRtY8Q4kjPd8QKBBqheO2XY6r8Dm0TsJ1Rg"),
		false},
	{69, "truncatedLengthOfSequence", RSA,
		PADDED("bbOndRBDTwqBJ_F-gvpwnLJuCuq1fRedMH5pDpkgewt2A-cntEKBR8G60JFVD_DK1aCLDiEmBzx"
		       "IgZS4XzAW5NUW7CaKpnKz6bls0S6SJf5d2CzD_"
		       "qtqeuWMuWwZPm5gWIdNdcK1z8aqViPXyHGxf9D"
		       "-R6PSMCSvFNarmHrUcesdzx5zvrUeX3jhlGaHEwX6D8ZL4NkKxpa5zLST8cOgKI0Bw9YfqnOt9s"
		       "_"
		       "S585S2kh4f3-"
		       "cqan8IxsZ1A2B1uSMCKg0A8cvjJkLFLxY49W774IcYApSzPbLU2tuVbgVoejHM7d"
		       "7Y6IKC-GyAdB78njhsUg2TFSUINCioeb6w606HQ"),
		false},
	{71, "usingCompositionWithIndefiniteLengthForSequence", RSA,
		PADDED("HwU4hR65N32glmpzfqPFjLAO0RN651zLvEAMejMewJDRjoiC2qcxxugEas_8fhTXEISmKNiAEBH"
		       "2Qjxf11qEwWM3Sek_pD_Qz6SjkpfyVLIDicwiIruh9Bir-"
		       "I1Un9lMNe59JCQxxDjcZYMJQ34sDN_"
		       "O8zFeSWkj3k0RNRdW7FuIN40msu_XyOVv1tQxuMWh7-BcfVr-"
		       "f90F4ZNBvvjLFncHAM3TSwW5rFO"
		       "iy6M6KCdR3Ont-gCYNMzy93J-Y5Es_bL5yzw9SL-XSdh2Ikyiun6CIeMh-6KM35l-"
		       "PSi0OxSVcIB"
		       "Llx32wSB7dWx3c0Y7wnQvdZdyLUwwSS7J5O7qOQ"),
		false},
};

#endif
