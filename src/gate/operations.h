/*
 * operations: the handlers of S3's operations, one a line, as route.c names them.
 */
#ifndef CLOISTER_GATE_OPERATIONS_H
#define CLOISTER_GATE_OPERATIONS_H

#include "gate/request.h"

void op_preflight(struct request *r); /* cors_answer.c */

/* buckets: bucket.c */
void op_list_buckets(struct request *r);
void op_create_bucket(struct request *r);
void op_head_bucket(struct request *r);
void op_delete_bucket(struct request *r);
void op_get_bucket_location(struct request *r);
void op_get_bucket_versioning(struct request *r);
void op_put_bucket_versioning(struct request *r);

/* who may use a bucket: bucket_access.c */
void op_get_bucket_policy(struct request *r);
void op_put_bucket_policy(struct request *r);
void op_delete_bucket_policy(struct request *r);
void op_get_bucket_policy_status(struct request *r);
void op_get_bucket_acl(struct request *r);
void op_put_bucket_acl(struct request *r);
void op_get_public_access_block(struct request *r);
void op_put_public_access_block(struct request *r);
void op_delete_public_access_block(struct request *r);
void op_get_ownership_controls(struct request *r);
void op_put_ownership_controls(struct request *r);
void op_delete_ownership_controls(struct request *r);

/* a bucket's other settings: bucket_settings.c */
void op_get_bucket_tagging(struct request *r);
void op_put_bucket_tagging(struct request *r);
void op_delete_bucket_tagging(struct request *r);
void op_get_bucket_encryption(struct request *r);
void op_put_bucket_encryption(struct request *r);
void op_delete_bucket_encryption(struct request *r);
void op_get_bucket_cors(struct request *r);
void op_put_bucket_cors(struct request *r);
void op_delete_bucket_cors(struct request *r);
void op_get_lifecycle(struct request *r);
void op_put_lifecycle(struct request *r);
void op_delete_lifecycle(struct request *r);
void op_get_notification(struct request *r);
void op_put_notification(struct request *r);
void op_get_object_lock(struct request *r);
void op_put_object_lock(struct request *r);
void op_get_object_retention(struct request *r); /* these five: object_lock.c */
void op_put_object_retention(struct request *r);
void op_get_legal_hold(struct request *r);
void op_put_legal_hold(struct request *r);
void op_get_logging(struct request *r);
void op_get_website(struct request *r);
void op_get_request_payment(struct request *r);
void op_get_accelerate(struct request *r);
void op_get_replication(struct request *r);

/* list_objects.c */
void op_list_objects(struct request *r); /* both versions: list-type=2 selects the second */
void op_list_versions(struct request *r);
void op_list_uploads(struct request *r);

/* multipart.c, complete.c */
void op_create_upload(struct request *r);
void op_complete_upload(struct request *r);
void op_abort_upload(struct request *r);
void op_list_parts(struct request *r);

/* delete_objects.c */
void op_delete_objects(struct request *r);

/* object_sub.c, object_attributes.c */
void op_get_object_tagging(struct request *r);
void op_put_object_tagging(struct request *r);
void op_delete_object_tagging(struct request *r);
void op_get_object_acl(struct request *r);
void op_put_object_acl(struct request *r);
void op_get_object_attributes(struct request *r);

/* objects */
void op_get_object(struct request *r);
void op_delete_object(struct request *r);
void op_copy_object(struct request *r);
void op_upload_part_copy(struct request *r);

#endif
