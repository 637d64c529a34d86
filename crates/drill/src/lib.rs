//! Rehearsals: seeded station populations, networks and misbehaviour
