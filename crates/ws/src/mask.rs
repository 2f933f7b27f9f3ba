//! Masking (RFC 6455, 5.3).

/// Removes the mask, eight bytes at a time, and turns it to where the next slice goes on.
pub(crate) fn remove(bytes: &mut [u8], mask: &mut [u8; 4]) {
    let half = u64::from(u32::from_ne_bytes(*mask));
    let word = half << 32 | half;
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for bytes in words {
        *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    mask.rotate_left(bytes.len() % 4);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_cut_is_as_good_as_none() {
        let mask = [0x12, 0x34, 0x56, 0x78];
        for length in 0..40_u8 {
            let plain: Vec<u8> = (0..length).collect();
            let masked: Vec<u8> =
                plain.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
            for cut in 0..=plain.len() {
                let (mut bytes, mut turned) = (masked.clone(), mask);
                let (before, after) = bytes.split_at_mut(cut);
                remove(before, &mut turned);
                remove(after, &mut turned);
                assert_eq!(bytes, plain, "{length} cut at {cut}");
            }
        }
    }
}
