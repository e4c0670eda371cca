/* firestore_value.h: JSON as Firestore writes it, where each value names its type.
 *
 * A whole number is an integerValue (which travels as text), any other a doubleValue. What only
 * others write is read as what comes next to it: timestamps, bytes and references as text, a point
 * as an object.
 * Source: cloud.google.com/firestore/docs/reference/rest/v1/Value. */
#ifndef FIRESTORE_VALUE_H
#define FIRESTORE_VALUE_H

#include "fn/bytes.h"

#include <jansson.h>

/* {"n": 1} becomes {"n": {"integerValue": "1"}}: the `fields` of a document. An array must not
 * stand directly in an array: Firestore has no such value. New references, as all here. */
json_t *firestore_value(const json_t *plain);
json_t *firestore_fields(const json_t *object);

/* The way back; NULL where it is no such value. Without `fields` (NULL) a document is empty. */
json_t *firestore_value_read(const json_t *value);
json_t *firestore_fields_read(const json_t *fields);

/* "2026-11-24T05:36:58.123456Z", in UTC. What is finer than a microsecond is cut off. */
#define FIRESTORE_TIME_SIZE 28
void firestore_time(int64_t unix_us, char text[FIRESTORE_TIME_SIZE]);
bool firestore_time_read(struct fn_bytes text, int64_t *unix_us);

#endif
