//! Resource ids: what is read is printed canonically; what is not is told with a place inside the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qws_config::ResourceId;

fuzz_target!(|text: &str| {
    match text.parse::<ResourceId>() {
        Ok(id) => {
            let printed = id.to_string();
            let again: ResourceId = printed.parse().expect("what is printed is read");
            assert_eq!((again.to_string(), &again), (printed, &id));
            assert_eq!(id.workspace_path().matches('/').count(), 8);
        }
        Err(error) => {
            assert!(text.is_char_boundary(error.at().expect("every error has a place")), "{error}");
            assert!(error.render(text).lines().count() >= 3, "{error}");
        }
    }
});
