/*
 * vault_wire: the bodies of vault's messages, written once for both ends (client.c and serve.c). doc/vault.md lists them.
 * wire_put_X appends; wire_X reads, and fails the cursor on what is out of range. Nothing is copied: strings borrow.
 */
#ifndef CLOISTER_VAULT_VAULT_WIRE_H
#define CLOISTER_VAULT_VAULT_WIRE_H

#include "base/cur.h"
#include "vault/client.h"

/* what VAULT_BUCKET_SET sets */
enum wire_bucket_set { WIRE_SET_VERSIONING, WIRE_SET_CHARTER, WIRE_SET_DOC };

void wire_put_grant(struct buf *b, const struct grant *g);
void wire_grant(struct cur *c, struct grant *ret);
void wire_put_sealed(struct buf *b, struct sealed s);
struct sealed wire_sealed(struct cur *c);
void wire_put_version_ref(struct buf *b, struct version_ref v);
struct version_ref wire_version_ref(struct cur *c);
void wire_put_condition(struct buf *b, const struct write_condition *w);
void wire_condition(struct cur *c, struct write_condition *ret);

void wire_put_bucket(struct buf *b, const struct bucket_info *i);
void wire_bucket(struct cur *c, struct bucket_info *ret);
/* object: ${fd} is not in the body but passed beside it */
void wire_put_object(struct buf *b, const struct object_info *i);
void wire_object(struct cur *c, struct object_info *ret);
/* put: without ${ids}, which the header repeats; ${fd} is passed beside it */
void wire_put_put(struct buf *b, const struct put *p);
void wire_put(struct cur *c, struct put *ret);
void wire_put_put_result(struct buf *b, const struct put_result *r);
void wire_put_result(struct cur *c, struct put_result *ret);
void wire_put_deletion(struct buf *b, const struct deletion *d);
void wire_deletion(struct cur *c, struct deletion *ret);
void wire_put_delete_result(struct buf *b, const struct delete_result *r);
void wire_delete_result(struct cur *c, struct delete_result *ret);
void wire_put_list_query(struct buf *b, const struct list_query *q);
void wire_list_query(struct cur *c, struct list_query *ret);
void wire_put_list_entry(struct buf *b, const struct list_entry *e);
void wire_list_entry(struct cur *c, struct list_entry *ret);
void wire_put_change(struct buf *b, const struct vault_change *e);
void wire_change(struct cur *c, struct vault_change *ret);
void wire_put_upload(struct buf *b, const struct upload_info *u);
void wire_upload(struct cur *c, struct upload_info *ret);
void wire_put_part(struct buf *b, const struct part *p);
void wire_part(struct cur *c, struct part *ret);
/*
 * A part list: u16 count, then a part the distance from the number before (u8, or 0 and u16) and its ETag. Ascending by
 * construction; 10,000 parts take 170,002 bytes, so that a message also holds manifest and charter.
 */
void wire_put_part_refs(struct buf *b, const struct part_ref *p, size_t n);
/* ${ret}: LIMIT_PARTS */
void wire_part_refs(struct cur *c, struct part_ref *ret, size_t *ret_n);
void wire_put_stats(struct buf *b, const struct vault_stats *s);
void wire_stats(struct cur *c, struct vault_stats *ret);

/* most bytes that one entry of a listing or one bucket of a list takes beside its strings */
#define WIRE_ENTRY_FIXED 80
#define WIRE_BUCKET_FIXED 64
/* what a message's body may hold: LIMIT_MESSAGE_BYTES less room for the frame */
#define WIRE_BODY_MAX (LIMIT_MESSAGE_BYTES - 64)

#endif
