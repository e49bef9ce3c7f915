//! A tile as it is held and stored: the bytes that the source sent, and their entity tag beside them.
//!
//! **Invariant:** what was not stored to its end is not taken for a tile.

use actix_web::http::header::HeaderValue;
use bytes::{Bytes, BytesMut};
use sha2::{Digest, Sha256};

use crate::{http::etag, imagery::kind::ImageKind};

/// Characters of a tag.
const TAG_LENGTH: usize = 16;
/// What stands behind the tag, at the very end of a stored tile.
const END: &[u8] = b"\nSPTILE1";

/// A tile that was recognised as an image.
#[derive(Clone, Debug, PartialEq)]
pub struct TileImage {
    pub bytes: Bytes,
    pub kind: ImageKind,
    /// Hash of the bytes.
    pub tag: String,
    /// The tag as a header.
    pub etag: HeaderValue,
}

impl TileImage {
    /// An image as it came from the source.
    pub fn new(bytes: Bytes, kind: ImageKind) -> Option<Self> {
        let tag = etag::of_hash(&Sha256::digest(&bytes));
        Self::tagged(bytes, kind, tag)
    }

    fn tagged(bytes: Bytes, kind: ImageKind, tag: String) -> Option<Self> {
        Some(Self {
            etag: HeaderValue::from_str(&format!("\"{tag}\"")).ok()?,
            bytes,
            kind,
            tag,
        })
    }

    /// As it is stored: a reader of the object sees whether all of it is there, and need not hash it.
    pub fn pack(&self) -> Bytes {
        let mut packed = BytesMut::with_capacity(self.bytes.len() + TAG_LENGTH + END.len());
        packed.extend_from_slice(&self.bytes);
        packed.extend_from_slice(self.tag.as_bytes());
        packed.extend_from_slice(END);
        packed.freeze()
    }

    /// The tile in a stored object, without copying it.
    pub fn unpack(mut packed: Bytes) -> Option<Self> {
        let image = packed.len().checked_sub(TAG_LENGTH + END.len())?;
        let tail = packed.split_off(image);
        let (tag, end) = tail.split_at_checked(TAG_LENGTH)?;
        if end != END || !tag.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let tag = String::from_utf8(tag.to_vec()).ok()?;
        let kind = ImageKind::of(&packed)?;
        Self::tagged(packed, kind, tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_tile_is_read_as_it_was_and_a_part_of_it_is_none() {
        let bytes = Bytes::from_static(b"\xff\xd8\xff\xe0 and so on");
        let image = TileImage::new(bytes, ImageKind::Jpeg).unwrap();
        let packed = image.pack();
        for end in 0..packed.len() {
            assert_eq!(TileImage::unpack(packed.slice(..end)), None, "{end}");
        }
        let zeros = Bytes::from(vec![0; packed.len()]);
        assert_eq!(TileImage::unpack(zeros), None);
        assert_eq!(TileImage::unpack(packed), Some(image));
    }
}
