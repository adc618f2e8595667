"""THE map of the system: every operation and every event, one module or package per owning service.

Structs first, then the operations. Rules of evolution: structs are frozen and keyword-only; what is added has a
default; a type never changes; an incompatible change is a new `v2` subject beside `v1`. Services tolerate unknown
fields, since versions overlap during an upgrade; the gateway refuses them.
"""
