#include "adapters/wire/jws.h"

#include "adapters/wire/jwt_members.h"
#include "fn/base64.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define KEY_ID_MOST 256 /* bytes */

bool
jws_algorithm_read(struct fn_bytes name, enum jws_algorithm *algorithm)
{
	static const char *const names[] = {[JWS_RS256] = "RS256", [JWS_ES256] = "ES256"};

	for (size_t i = 0; i < COUNT(names); i++) {
		if (fn_bytes_is(name, names[i])) {
			*algorithm = (enum jws_algorithm)i;
			return true;
		}
	}
	return false;
}

/* Tokens of other kinds (a logout, a proof of possession) are signed with the same keys. */
static bool
is_type_of_token(const struct jwt_member *member, struct fn_arena *arena)
{
	struct fn_bytes type;

	if (member->value.size == 0)
		return true;
	TRY(jwt_member_text(member, arena, &type));
	return fn_bytes_is_nocase(type, "JWT") || fn_bytes_is_nocase(type, "at+jwt") ||
	       fn_bytes_is_nocase(type, "application/at+jwt");
}

/* Nothing that is critical to understand is understood, "b64" included; "cty" is that of a token
 * inside of a token, "zip" that of an encrypted one. */
static bool
read_header(struct jws *jws, struct fn_arena *arena, struct fn_bytes json, struct fn_error *err)
{
	enum { ALG, KID, TYP, CTY, CRIT, B64, ZIP, MEMBERS };
	struct jwt_member header[MEMBERS] = {
		[ALG] = {.name = FN_BYTES("alg")},
		[KID] = {.name = FN_BYTES("kid")},
		[TYP] = {.name = FN_BYTES("typ")},
		[CTY] = {.name = FN_BYTES("cty")},
		[CRIT] = {.name = FN_BYTES("crit")},
		[B64] = {.name = FN_BYTES("b64")},
		[ZIP] = {.name = FN_BYTES("zip")},
	};
	struct fn_bytes algorithm;

	TRY(jwt_members_read(json, arena, header, MEMBERS, err));
	if (!jwt_member_text(&header[ALG], arena, &algorithm) ||
		!jws_algorithm_read(algorithm, &jws->algorithm))
		return fn_fail(err, FN_INVALID, "its algorithm is neither RS256 nor ES256");
	if (!jwt_member_text(&header[KID], arena, &jws->key_id) || jws->key_id.size > KEY_ID_MOST)
		return fn_fail(err, FN_INVALID, "it names no key");
	if (!is_type_of_token(&header[TYP], arena))
		return fn_fail(err, FN_INVALID, "its type is neither JWT nor at+jwt");
	for (size_t i = CTY; i < MEMBERS; i++) {
		if (header[i].value.size > 0)
			return fn_fail(err, FN_INVALID, "it has \"%.*s\"", FN_ARG(header[i].name));
	}
	return true;
}

bool
jws_read(struct jws *jws, struct fn_arena *arena, struct fn_bytes token, struct fn_error *err)
{
	struct fn_bytes rest = token, header, json;
	struct jws read;

	if (token.size > JWS_MOST)
		return fn_fail(err, FN_INVALID, "it has more than %d bytes", JWS_MOST);
	header = fn_bytes_cut(&rest, '.');
	struct fn_bytes payload = fn_bytes_cut(&rest, '.');
	if (header.size == 0 || rest.size == 0)
		return fn_fail(err, FN_INVALID, "it does not have three parts");
	read.signed_text = (struct fn_bytes){token.at, header.size + 1 + payload.size};
	if (!fn_base64url_decode(header, arena, &json) ||
		!fn_base64url_decode(payload, arena, &read.payload) ||
		!fn_base64url_decode(rest, arena, &read.signature))
		return fn_fail(err, FN_INVALID, "it is not in base64url");
	if (!read_header(&read, arena, json, err))
		return fn_wrap(err, "header");
	*jws = read;
	return true;
}
