/* fault_point.h: moments at which tests kill the worker.
 *
 * They exist only in the program tests/video_worker_faulty, which is this one built with
 * PHOENIX_FAULTS, and are told there by FAULT_POINT in the environment: "after_start" ends the
 * process by SIGKILL when it comes to that step, "after_start:3" when it does for the third time.
 * The steps of a job, in the order in which one that succeeds takes them:
 *
 *   claimed           the queue has handed it over
 *   before_start      that the model is about to be called is noted, in queue and document
 *   after_start       the model has answered, and nobody but the process knows what
 *   operation_stored  queue and document know the operation
 *   polled            the model has said how the operation is doing; once for each time
 *   before_fetch      the operation is done
 *   stored_object     the object store has the video
 *   before_document   whatever its end is: just before it is written into the document...
 *   after_document    ...and just after
 *   before_finish     the same for the queue, also where the job goes back to it
 *   finished */
#ifndef FAULT_POINT_H
#define FAULT_POINT_H

#ifdef PHOENIX_FAULTS
void fault_point(const char *step);
#else
#define fault_point(step) ((void)(step))
#endif

#endif
