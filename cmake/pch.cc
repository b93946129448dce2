// The owner of the precompiled header needs a source.
