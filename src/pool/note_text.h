/*
 * note_text: what a person would read of a document that came with a resource (Attachment of FHIR: base64 and a media type).
 *
 * text/plain as it is, by its charset; text/html and RTF without their tags; anything else (PDF, images) is no text. What is not UTF-8 and says
 * nothing of a charset is read as windows-1252.
 * Control characters but line breaks and tabs go. Linear, no recursion; what cannot be read is no text; the one error is that
 * memory is out: ${out} has failed then.
 */
#ifndef CLOISTER_POOL_NOTE_TEXT_H
#define CLOISTER_POOL_NOTE_TEXT_H

#include "base/buf.h"
#include "phi/phi.h"

/* note_text(media_type, base64, out): false: no text; ${out} may then hold anything. */
bool note_text(struct phi media_type, struct phi base64, struct buf *out);

/* its parts; ${in} is bytes, ${out} UTF-8 */
void note_from_plain(struct str in, bool is_utf8, struct buf *out);
void note_from_html(struct str in, struct buf *out);
void note_from_rtf(struct str in, struct buf *out);

#endif
