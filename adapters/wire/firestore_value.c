#include "adapters/wire/firestore_value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define MICRO 1000000

/* ---- Writing --------------------------------------------------------------------------------- */

static json_t *
array_value(const json_t *plain)
{
	json_t *values = json_array(), *element;
	size_t i;

	json_array_foreach(plain, i, element)
	{
		json_array_append_new(values, firestore_value(element));
	}
	return json_pack("{s:{s:o}}", "arrayValue", "values", values);
}

static json_t *
integer_value(json_int_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, number);
	return json_pack("{s:s}", "integerValue", text);
}

json_t *
firestore_value(const json_t *plain)
{
	switch (json_typeof(plain)) {
	case JSON_OBJECT:
		return json_pack("{s:{s:o}}", "mapValue", "fields", firestore_fields(plain));
	case JSON_ARRAY:
		return array_value(plain);
	case JSON_STRING:
		return json_pack("{s:O}", "stringValue", plain);
	case JSON_INTEGER:
		return integer_value(json_integer_value(plain));
	case JSON_REAL:
		return json_pack("{s:O}", "doubleValue", plain);
	case JSON_TRUE:
	case JSON_FALSE:
		return json_pack("{s:O}", "booleanValue", plain);
	case JSON_NULL:
		break;
	}
	return json_pack("{s:n}", "nullValue");
}

json_t *
firestore_fields(const json_t *object)
{
	json_t *fields = json_object(), *member;
	const char *name;

	json_object_foreach((json_t *)(uintptr_t)object, name, member)
	{
		json_object_set_new_nocheck(fields, name, firestore_value(member));
	}
	return fields;
}

/* ---- Reading --------------------------------------------------------------------------------- */

static json_t *
read_null(const json_t *inner)
{
	return json_is_null(inner) ? json_null() : NULL;
}

static json_t *
read_boolean(const json_t *inner)
{
	return json_is_boolean(inner) ? json_boolean(json_is_true(inner)) : NULL;
}

static json_t *
read_integer(const json_t *inner)
{
	const char *text = json_string_value(inner);
	char *end;

	if (json_is_integer(inner))
		return json_integer(json_integer_value(inner));
	if (!text || text[0] == '\0')
		return NULL;
	errno = 0;
	long long number = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0' ? json_integer(number) : NULL;
}

static json_t *
read_text(const json_t *inner)
{
	return json_is_string(inner) ? json_copy((json_t *)(uintptr_t)inner) : NULL;
}

/* JSON has no infinities, and no NaN, which come as text. */
static json_t *
read_double(const json_t *inner)
{
	return json_is_number(inner) ? json_real(json_number_value(inner)) : read_text(inner);
}

static json_t *
read_array(const json_t *inner)
{
	json_t *plain = json_array(), *element;
	size_t i;

	json_array_foreach(json_object_get(inner, "values"), i, element)
	{
		if (json_array_append_new(plain, firestore_value_read(element)) == 0)
			continue;
		json_decref(plain);
		return NULL;
	}
	return plain;
}

static json_t *
read_map(const json_t *inner)
{
	return firestore_fields_read(json_object_get(inner, "fields"));
}

static json_t *
read_point(const json_t *inner)
{
	return json_is_object(inner) ? json_deep_copy(inner) : NULL;
}

static const struct {
	const char *type;
	json_t *(*read)(const json_t *inner);
} types[] = {
	{"nullValue", read_null},
	{"booleanValue", read_boolean},
	{"integerValue", read_integer},
	{"doubleValue", read_double},
	{"stringValue", read_text},
	{"timestampValue", read_text},
	{"bytesValue", read_text},
	{"referenceValue", read_text},
	{"geoPointValue", read_point},
	{"arrayValue", read_array},
	{"mapValue", read_map},
};

json_t *
firestore_value_read(const json_t *value)
{
	for (size_t i = 0; i < COUNT(types); i++) {
		const json_t *inner = json_object_get(value, types[i].type);

		if (inner)
			return types[i].read(inner);
	}
	return NULL;
}

json_t *
firestore_fields_read(const json_t *fields)
{
	json_t *object = json_object(), *value;
	const char *name;

	json_object_foreach((json_t *)(uintptr_t)fields, name, value)
	{
		if (json_object_set_new_nocheck(object, name, firestore_value_read(value)) == 0)
			continue;
		json_decref(object);
		return NULL;
	}
	return object;
}

/* ---- Time ------------------------------------------------------------------------------------ */

void
firestore_time(int64_t unix_us, char text[FIRESTORE_TIME_SIZE])
{
	time_t seconds = (time_t)(unix_us / MICRO);
	struct tm utc;

	gmtime_r(&seconds, &utc);
	size_t size = strftime(text, FIRESTORE_TIME_SIZE, "%FT%T", &utc);
	snprintf(text + size, FIRESTORE_TIME_SIZE - size, ".%06dZ", (int)(unix_us % MICRO));
}

/* What may follow the seconds: ".", up to nine digits, and "Z". */
static bool
read_fraction(const char *text, int64_t *us)
{
	int64_t unit = MICRO / 10, sum = 0;

	if (*text == '.') {
		for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
			sum += unit * (*text - '0');
	}
	*us = sum;
	return strcmp(text, "Z") == 0;
}

bool
firestore_time_read(struct fn_bytes from, int64_t *unix_us)
{
	struct tm utc = {0};
	char text[40];
	int64_t us;

	if (from.size >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", FN_ARG(from));
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
	if (!end || !read_fraction(end, &us))
		return false;
	*unix_us = (int64_t)timegm(&utc) * MICRO + us;
	return true;
}
