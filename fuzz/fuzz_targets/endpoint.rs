//! Endpoints: whatever is accepted is a host of the service over https, or this machine.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qws_config::Endpoint;

fuzz_target!(|text: &str| {
    match text.parse::<Endpoint>() {
        Ok(endpoint) => {
            let url = endpoint.as_url();
            let host = url.host_str().expect("every endpoint has a host");
            let service = host.ends_with(".quantum.azure.com") || host.ends_with(".quantum-test.azure.com");
            assert!(
                endpoint.is_loopback() || service && url.scheme() == "https" && url.port().is_none(),
                "{url}"
            );
            assert!(url.username().is_empty() && url.password().is_none() && url.path() == "/", "{url}");
            assert!(url.query().is_none() && url.fragment().is_none(), "{url}");
            assert_eq!(url.as_str().parse::<Endpoint>().expect("what is printed is read"), endpoint);
        }
        Err(error) => {
            assert!(text.is_char_boundary(error.at().expect("every error has a place")), "{error}");
        }
    }
    if let Ok(endpoint) = Endpoint::custom(text) {
        let url = endpoint.as_url();
        assert!(url.scheme() == "https" || endpoint.is_loopback(), "{url}");
        assert!(url.path().ends_with('/') && url.username().is_empty(), "{url}");
    }
});
