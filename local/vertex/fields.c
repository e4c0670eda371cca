#include "local/vertex/fields.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PATH_SIZE 96 /* longer ones are cut, which harms nobody */

static void __attribute__((format(printf, 2, 3)))
path_format(char path[PATH_SIZE], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(path, PATH_SIZE, format, args);
	va_end(args);
}

static bool
is_choice(json_t *value, const char *choices)
{
	struct fn_bytes rest = fn_bytes(choices), text = fn_bytes(json_string_value(value));

	while (rest.size > 0)
		if (fn_bytes_equal(fn_bytes_cut(&rest, ' '), text))
			return true;
	return false;
}

static bool
check_range(json_t *value, const struct field *field, const char *path, struct fn_error *err)
{
	double number = json_number_value(value);

	if (number >= field->least && number <= field->most)
		return true;
	return fn_fail(err, FN_INVALID, "Invalid value at '%s': must be in the range [%.0f, %.0f].",
		path, field->least, field->most);
}

static bool
check_choice(json_t *value, const struct field *field, const char *path, struct fn_error *err)
{
	if (is_choice(value, field->choices))
		return true;
	return fn_fail(
		err, FN_INVALID, "Invalid value at '%s': must be one of %s.", path, field->choices);
}

static bool
check_elements(json_t *array, const struct field *field, const char *path, struct fn_error *err)
{
	size_t i;
	json_t *element;
	char name[PATH_SIZE];

	json_array_foreach(array, i, element)
	{
		path_format(name, "%s[%zu]", path, i);
		if (field->kind == FIELD_CHOICES)
			TRY(check_choice(element, field, name, err));
		else
			TRY(fields_check(element, field->members, name, err));
	}
	return true;
}

static bool
check_texts(json_t *object, const char *path, struct fn_error *err)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		if (!json_is_string(value))
			return fn_fail(err, FN_INVALID,
				"Invalid value at '%s.%.32s' (TYPE_STRING).", path, name);
	}
	return true;
}

static bool
has_type(json_t *value, enum field_kind kind)
{
	switch (kind) {
	case FIELD_TEXT:
	case FIELD_CHOICE:
		return json_is_string(value);
	case FIELD_BOOL:
		return json_is_boolean(value);
	case FIELD_INTEGER:
		return json_is_integer(value);
	case FIELD_NUMBER:
		return json_is_number(value);
	case FIELD_CHOICES:
	case FIELD_OBJECTS:
		return json_is_array(value);
	case FIELD_OBJECT:
		return json_is_object(value);
	case FIELD_REFUSED:
		return true;
	}
	return false;
}

static bool
check_value(json_t *value, const struct field *field, const char *path, struct fn_error *err)
{
	static const char *const types[] = {[FIELD_TEXT] = "TYPE_STRING",
		[FIELD_BOOL] = "TYPE_BOOL",
		[FIELD_INTEGER] = "TYPE_INT32",
		[FIELD_NUMBER] = "TYPE_FLOAT",
		[FIELD_CHOICE] = "TYPE_ENUM",
		[FIELD_CHOICES] = "a list",
		[FIELD_OBJECT] = "an object",
		[FIELD_OBJECTS] = "a list",
		[FIELD_REFUSED] = ""};

	if (!has_type(value, field->kind))
		return fn_fail(
			err, FN_INVALID, "Invalid value at '%s' (%s).", path, types[field->kind]);
	switch (field->kind) {
	case FIELD_INTEGER:
	case FIELD_NUMBER:
		return check_range(value, field, path, err);
	case FIELD_CHOICE:
		return check_choice(value, field, path, err);
	case FIELD_CHOICES:
	case FIELD_OBJECTS:
		return check_elements(value, field, path, err);
	case FIELD_OBJECT:
		return field->members ? fields_check(value, field->members, path, err)
				      : check_texts(value, path, err);
	case FIELD_REFUSED:
		return fn_fail(err, FN_INVALID, "'%s' is not supported by this stand-in.", path);
	case FIELD_TEXT:
	case FIELD_BOOL:
		break;
	}
	return true;
}

static const struct field *
field_named(const struct field *field, const char *name)
{
	while (field->name && strcmp(field->name, name) != 0)
		field++;
	return field->name ? field : NULL;
}

bool
fields_check(json_t *object, const struct field *fields, const char *path, struct fn_error *err)
{
	const char *name;
	json_t *value;
	char inner[PATH_SIZE];

	if (!json_is_object(object))
		return fn_fail(err, FN_INVALID, "Invalid value at '%s' (an object).", path);
	json_object_foreach(object, name, value)
	{
		const struct field *field = field_named(fields, name);
		if (!field)
			return fn_fail(err, FN_INVALID,
				"Invalid JSON payload received. Unknown name \"%.32s\" at "
				"'%s': Cannot find field.",
				name, path);
		path_format(inner, "%s%s%s", path, path[0] ? "." : "", name);
		TRY(check_value(value, field, inner, err));
	}
	return true;
}

json_t *
fields_at(json_t *object, const char *path)
{
	struct fn_bytes rest = fn_bytes(path);

	while (object && rest.size > 0) {
		struct fn_bytes step = fn_bytes_cut(&rest, '.');

		object = json_object_getn(object, step.at, step.size);
	}
	return object;
}

const char *
fields_text(json_t *object, const char *path, const char *fallback)
{
	json_t *value = fields_at(object, path);

	return value ? json_string_value(value) : fallback;
}

long long
fields_integer(json_t *object, const char *path, long long fallback)
{
	json_t *value = fields_at(object, path);

	return value ? json_integer_value(value) : fallback;
}

bool
fields_bool(json_t *object, const char *path, bool fallback)
{
	json_t *value = fields_at(object, path);

	return value ? json_boolean_value(value) : fallback;
}
