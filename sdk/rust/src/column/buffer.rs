//! Bytes that may be looked at as numbers: aligned to 8, with or without a copy.

/// A buffer of little-endian values whose start is aligned to 8 bytes.
#[derive(Clone, Debug)]
pub(crate) struct Buffer(Bytes);

#[derive(Debug)]
enum Bytes {
    /// Happened to be aligned, as every allocation in a guest does.
    Aligned(Vec<u8>),
    /// Copied into words, and how many bytes of them count.
    Words(Vec<u64>, usize),
}

impl Clone for Bytes {
    fn clone(&self) -> Self {
        // A cloned `Vec<u8>` may lie elsewhere, aligned or not.
        Buffer::from(Buffer::view(self).to_vec()).0
    }
}

/// A number that any bytes are a value of.
pub(crate) trait Number: Copy {}

impl Number for i32 {}
impl Number for i64 {}
impl Number for f32 {}
impl Number for f64 {}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        if bytes.as_ptr().cast::<u64>().is_aligned() {
            return Self(Bytes::Aligned(bytes));
        }
        let word = |chunk: &[u8]| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_ne_bytes(word)
        };
        Self(Bytes::Words(bytes.chunks(8).map(word).collect(), bytes.len()))
    }
}

impl Buffer {
    pub(crate) fn from_f64(values: &[f64]) -> Self {
        let mut bytes = Vec::with_capacity(size_of_val(values));
        values.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
        bytes.into()
    }

    pub(crate) fn concat<'a>(parts: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut bytes = Vec::new();
        parts.for_each(|part| bytes.extend_from_slice(part));
        bytes.into()
    }

    /// The values of `N` bytes with these indexes.
    pub(crate) fn take<const N: usize>(&self, indexes: &[usize]) -> Self {
        let (values, _) = self.bytes().as_chunks::<N>();
        let mut bytes = Vec::with_capacity(N * indexes.len());
        indexes.iter().for_each(|&index| bytes.extend_from_slice(&values[index]));
        bytes.into()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        Self::view(&self.0)
    }

    pub(crate) fn into_vec(self) -> Vec<u8> {
        match self.0 {
            Bytes::Aligned(bytes) => bytes,
            words @ Bytes::Words(..) => Self::view(&words).to_vec(),
        }
    }

    /// All whole values in the buffer. Guests and the hosts that tests run on are little-endian, as the buffers are.
    pub(crate) fn as_slice<T: Number>(&self) -> &[T] {
        let bytes = self.bytes();
        let values = bytes.as_ptr().cast::<T>();
        assert!(cfg!(target_endian = "little") && values.is_aligned());
        // SAFETY: the pointer is aligned (asserted), the length stays inside the bytes, and every bit pattern is a
        // value of a `Number`.
        unsafe { std::slice::from_raw_parts(values, bytes.len() / size_of::<T>()) }
    }

    fn view(bytes: &Bytes) -> &[u8] {
        match bytes {
            Bytes::Aligned(bytes) => bytes,
            // SAFETY: words are plain bytes, and the length is at most what they hold.
            Bytes::Words(words, len) => unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), *len) },
        }
    }
}
