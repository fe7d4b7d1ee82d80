//! Connection strings of storage accounts: what is read shows no key; what is not is told with a place inside the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qws_config::StorageAccount;

fuzz_target!(|text: &str| {
    match text.parse::<StorageAccount>() {
        Ok(account) => {
            let endpoint = account.blob_endpoint();
            assert!(endpoint.path().ends_with('/') && matches!(endpoint.scheme(), "https" | "http"));
            assert!(format!("{account:?}").contains("***"));
        }
        Err(error) => {
            assert!(text.is_char_boundary(error.at().expect("every error has a place")), "{error}");
            assert!(error.render(text).lines().count() >= 3, "{error}");
        }
    }
});
