/* firestore_emulator.h: Google's own emulator of Firestore beside the tests.
 *
 * FIRESTORE_EMULATOR_HOST names one that runs already. Else it is the one of the Debian package
 * google-cloud-cli-firestore-emulator (FIRESTORE_EMULATOR_JAR: of another place), as a child
 * process on a free port of 127.0.0.1, which is taken along by a test that dies. It keeps all in
 * memory and needs seconds to start, so a program starts it once, for all of its tests. */
#ifndef FIRESTORE_EMULATOR_H
#define FIRESTORE_EMULATOR_H

struct firestore_emulator;

/* NULL where there is neither; then *why is a sentence about it. A start that fails aborts. */
struct firestore_emulator *firestore_emulator_start(const char **why);
void firestore_emulator_stop(struct firestore_emulator *); /* NULL is fine */

const char *firestore_emulator_host(const struct firestore_emulator *); /* "127.0.0.1:PORT" */

/* STORE_URL of a store that was empty so far, for as long as the process lives. */
const char *firestore_emulator_store(void);

#endif
