// Node 18 has WebCrypto, but not yet under the name that browsers give it.
import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto;
