//! Resident memory of this program as the kernel counts it.

use std::fs;

/// Bytes resident now.
///
/// # Panics
///
/// When the kernel has no `/proc/self/status`: memory is measured on Linux only.
pub fn resident_bytes() -> u64 {
    status_bytes("VmRSS:").expect("/proc/self/status says how much memory is resident")
}

/// Most bytes resident at any time since the program started, where the kernel keeps count.
pub fn peak_bytes() -> Option<u64> {
    status_bytes("VmHWM:")
}

fn status_bytes(field: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn touched_memory_is_resident() {
        let before = resident_bytes();
        let touched = vec![1_u8; 32 << 20];
        assert!(resident_bytes() - before >= 24 << 20);
        assert!(peak_bytes().is_some_and(|peak| peak >= touched.len() as u64));
    }
}
