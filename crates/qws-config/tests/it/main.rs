//! Tests through the public interface: vectors, properties, files.

#[cfg(test)]
mod files;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod vectors;
