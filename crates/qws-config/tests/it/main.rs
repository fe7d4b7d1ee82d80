//! Tests through the public interface: vectors, properties, files.

mod vectors;
