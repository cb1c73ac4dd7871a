//! Figures made by running the vendor's own signer on made-up keys, and checked by an independent
//! computation of the HMAC.

use super::sign::{authorization, canonical_request, signature, string_to_sign};

const ACCESS_KEY: &str = "HWAKEXAMPLE000000001";
const SECRET_KEY: &str = "hwSecretKeyExample/0123456789+abcdefghijk";
const DATE: &str = "20260102T030405Z";

struct Vector {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    query: &'static [(&'static str, &'static str)],
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    canonical_request: &'static str,
    signature: &'static str,
}

const VECTORS: &[Vector] = &[
    Vector {
        name: "minimal_host_and_date",
        method: "GET",
        path: "/v1/organizations/accounts",
        query: &[],
        headers: &[("x-sdk-date", "20260102T030405Z"), ("host", "organizations.myhuaweicloud.com")],
        body: "",
        canonical_request: "GET\n\
            /v1/organizations/accounts/\n\
            \n\
            host:organizations.myhuaweicloud.com\n\
            x-sdk-date:20260102T030405Z\n\
            \n\
            host;x-sdk-date\n\
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        signature: "b850da6c0729bd91ffb7931a77b551e1a1ff55df6df156546e91ab4d8f6e9cf0",
    },
    Vector {
        name: "list_accounts_plain",
        method: "GET",
        path: "/v1/organizations/accounts",
        query: &[("limit", "200"), ("marker", "ou-taowxgy4xbme6m4x3c2iijbxw7yj8fcw")],
        headers: &[
            ("content-type", "application/json"),
            ("x-sdk-date", "20260102T030405Z"),
            ("host", "organizations.myhuaweicloud.com"),
        ],
        body: "",
        canonical_request: "GET\n\
            /v1/organizations/accounts/\n\
            limit=200&marker=ou-taowxgy4xbme6m4x3c2iijbxw7yj8fcw\n\
            content-type:application/json\n\
            host:organizations.myhuaweicloud.com\n\
            x-sdk-date:20260102T030405Z\n\
            \n\
            content-type;host;x-sdk-date\n\
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        signature: "ac9d7a9611955821c823f1707562c5809fd34b988f802b92ec1ae96e750e1f36",
    },
    Vector {
        name: "list_accounts_parent_bool_token_domain",
        method: "GET",
        path: "/v1/organizations/accounts",
        query: &[
            ("parent_id", "r-abcdefghijklmnopqrstuvwxyz012345"),
            ("with_register_contact_info", "true"),
            ("limit", "200"),
        ],
        headers: &[
            ("content-type", "application/json"),
            ("user-agent", "huaweicloud-usdk-python/3.0"),
            ("x-security-token", "gQpjbi1ub3J0aC00example/+==token"),
            ("x-domain-id", "0a6d25d23900d45c0faac010e0fb4de0"),
            ("x-sdk-date", "20260102T030405Z"),
            ("host", "organizations.myhuaweicloud.com"),
        ],
        body: "",
        canonical_request: "GET\n\
            /v1/organizations/accounts/\n\
            limit=200&parent_id=r-abcdefghijklmnopqrstuvwxyz012345&with_register_contact_info=true\n\
            content-type:application/json\n\
            host:organizations.myhuaweicloud.com\n\
            user-agent:huaweicloud-usdk-python/3.0\n\
            x-domain-id:0a6d25d23900d45c0faac010e0fb4de0\n\
            x-sdk-date:20260102T030405Z\n\
            x-security-token:gQpjbi1ub3J0aC00example/+==token\n\
            \n\
            content-type;host;user-agent;x-domain-id;x-sdk-date;x-security-token\n\
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        signature: "118743461d132c5153d236861ab665499b9806b72228a74a87ed6dcae8db42c3",
    },
    Vector {
        name: "query_empty_and_repeated",
        method: "GET",
        path: "/v1/organizations/accounts",
        query: &[
            ("z", ""),
            ("states", "succeeded"),
            ("states", "failed"),
            ("states", "in_progress"),
            ("list", "b"),
            ("list", "a"),
            ("list", "C"),
            ("list", "10"),
            ("list", "9"),
            ("n", "0"),
        ],
        headers: &[("x-sdk-date", "20260102T030405Z"), ("host", "organizations.myhuaweicloud.com")],
        body: "",
        canonical_request: "GET\n\
            /v1/organizations/accounts/\n\
            list=10&list=9&list=C&list=a&list=b&n=0&states=failed&states=in_progress&states=succeeded&z=\n\
            host:organizations.myhuaweicloud.com\n\
            x-sdk-date:20260102T030405Z\n\
            \n\
            host;x-sdk-date\n\
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        signature: "8ef51a9fe08e928aa0553eab230bacee8ca4241eaa125e8446865b45522058d7",
    },
    Vector {
        name: "query_key_order",
        method: "GET",
        path: "/v1/organizations/accounts",
        query: &[
            ("b", "1"),
            ("B", "2"),
            ("a1", "3"),
            ("a", "4"),
            ("a10", "5"),
            ("a2", "6"),
            ("_", "7"),
            ("-", "8"),
        ],
        headers: &[("x-sdk-date", "20260102T030405Z"), ("host", "organizations.myhuaweicloud.com")],
        body: "",
        canonical_request: "GET\n\
            /v1/organizations/accounts/\n\
            -=8&B=2&_=7&a=4&a1=3&a10=5&a2=6&b=1\n\
            host:organizations.myhuaweicloud.com\n\
            x-sdk-date:20260102T030405Z\n\
            \n\
            host;x-sdk-date\n\
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        signature: "6bb373d2a875b1dc4a02c5bd3098585229f7c77779a272d649761fda3c2b5b2d",
    },
    Vector {
        name: "path_trailing_slash_kept",
        method: "GET",
        path: "/v1/organizations/",
        query: &[],
        headers: &[("x-sdk-date", "20260102T030405Z"), ("host", "organizations.myhuaweicloud.com")],
        body: "",
        canonical_request: "GET\n\
            /v1/organizations/\n\
            \n\
            host:organizations.myhuaweicloud.com\n\
            x-sdk-date:20260102T030405Z\n\
            \n\
            host;x-sdk-date\n\
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        signature: "6241e94a64c546e73750d06a44ee04fa22e85c10ae7570512af3ae1734e16da8",
    },
    Vector {
        name: "post_json_body",
        method: "POST",
        path: "/v1/organizations/accounts",
        query: &[],
        headers: &[
            ("content-type", "application/json"),
            ("x-sdk-date", "20260102T030405Z"),
            ("host", "organizations.myhuaweicloud.com"),
        ],
        body: "{\"name\":\"账号\",\"agency_name\":\"OrganizationAccountAccessAgency\"}",
        canonical_request: "POST\n\
            /v1/organizations/accounts/\n\
            \n\
            content-type:application/json\n\
            host:organizations.myhuaweicloud.com\n\
            x-sdk-date:20260102T030405Z\n\
            \n\
            content-type;host;x-sdk-date\n\
            1354b933ec5bee58cadd6093454bd930b3adcfd5ba0e1e2aee7886d5e974c58c",
        signature: "bbd474db7a58afae13eabbf4e9d6aa2a6d6eeb2b7a3a3ddcfa3f5c03c20696a6",
    },
    Vector {
        name: "host_with_port",
        method: "GET",
        path: "/v1/organizations/accounts",
        query: &[],
        headers: &[("x-sdk-date", "20260102T030405Z"), ("host", "organizations.myhuaweicloud.com:8443")],
        body: "",
        canonical_request: "GET\n\
            /v1/organizations/accounts/\n\
            \n\
            host:organizations.myhuaweicloud.com:8443\n\
            x-sdk-date:20260102T030405Z\n\
            \n\
            host;x-sdk-date\n\
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        signature: "e64948920967d66e1a4fec823d31c2c69dcec1071c1883793caa0ca71ac856f3",
    },
    Vector {
        name: "sec_token_minimal",
        method: "GET",
        path: "/v1/organizations/accounts",
        query: &[("limit", "2"), ("marker", "")],
        headers: &[
            ("content-type", "application/json"),
            ("x-security-token", "abc/+== "),
            ("x-sdk-date", "20260102T030405Z"),
            ("host", "organizations.myhuaweicloud.com"),
        ],
        body: "",
        canonical_request: "GET\n\
            /v1/organizations/accounts/\n\
            limit=2&marker=\n\
            content-type:application/json\n\
            host:organizations.myhuaweicloud.com\n\
            x-sdk-date:20260102T030405Z\n\
            x-security-token:abc/+==\n\
            \n\
            content-type;host;x-sdk-date;x-security-token\n\
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        signature: "986698d78ff1ed74fb23f56b4a38dee65a106826bada690a9aae1f944a44052d",
    },
    Vector {
        name: "query_nonascii_key_order",
        method: "GET",
        path: "/v1/organizations/accounts",
        query: &[("~", "1"), ("é", "2"), ("a", "3")],
        headers: &[("x-sdk-date", "20260102T030405Z"), ("host", "organizations.myhuaweicloud.com")],
        body: "",
        canonical_request: "GET\n\
            /v1/organizations/accounts/\n\
            a=3&~=1&%C3%A9=2\n\
            host:organizations.myhuaweicloud.com\n\
            x-sdk-date:20260102T030405Z\n\
            \n\
            host;x-sdk-date\n\
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        signature: "8c0151f0a7a8e3431c4e5f95e735648438d149636d5a9707c02fc86c4eb7b3a0",
    },
    Vector {
        name: "client_list_accounts",
        method: "GET",
        path: "/v1/organizations/accounts",
        query: &[("limit", "200")],
        headers: &[
            ("content-type", "application/json"),
            ("user-agent", "huaweicloud-usdk-python/3.0; test-agent"),
            ("x-sdk-date", "20260102T030405Z"),
            ("host", "organizations.myhuaweicloud.com"),
        ],
        body: "",
        canonical_request: "GET\n\
            /v1/organizations/accounts/\n\
            limit=200\n\
            content-type:application/json\n\
            host:organizations.myhuaweicloud.com\n\
            user-agent:huaweicloud-usdk-python/3.0; test-agent\n\
            x-sdk-date:20260102T030405Z\n\
            \n\
            content-type;host;user-agent;x-sdk-date\n\
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        signature: "d08f049b4254ac6215e39a9d458fc7641a9365e12e0d4e665ba3d8c8f8efc06d",
    },
    Vector {
        name: "client_list_create_account_statuses",
        method: "GET",
        path: "/v1/organizations/create-account-status",
        query: &[("limit", "2"), ("states", "failed"), ("states", "succeeded")],
        headers: &[
            ("content-type", "application/json"),
            ("user-agent", "huaweicloud-usdk-python/3.0; test-agent"),
            ("x-sdk-date", "20260102T030405Z"),
            ("host", "organizations.myhuaweicloud.com"),
        ],
        body: "",
        canonical_request: "GET\n\
            /v1/organizations/create-account-status/\n\
            limit=2&states=failed&states=succeeded\n\
            content-type:application/json\n\
            host:organizations.myhuaweicloud.com\n\
            user-agent:huaweicloud-usdk-python/3.0; test-agent\n\
            x-sdk-date:20260102T030405Z\n\
            \n\
            content-type;host;user-agent;x-sdk-date\n\
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        signature: "86cdcdd869450b099875e82431629c80ea49b747ef398ee36b4ba07c7e5946ec",
    },
    Vector {
        name: "client_list_close_account_statuses",
        method: "GET",
        path: "/v1/organizations/close-account-status",
        query: &[("states", "pending_closure"), ("states", "suspended")],
        headers: &[
            ("content-type", "application/json"),
            ("user-agent", "huaweicloud-usdk-python/3.0; test-agent"),
            ("x-sdk-date", "20260102T030405Z"),
            ("host", "organizations.myhuaweicloud.com"),
        ],
        body: "",
        canonical_request: "GET\n\
            /v1/organizations/close-account-status/\n\
            states=pending_closure&states=suspended\n\
            content-type:application/json\n\
            host:organizations.myhuaweicloud.com\n\
            user-agent:huaweicloud-usdk-python/3.0; test-agent\n\
            x-sdk-date:20260102T030405Z\n\
            \n\
            content-type;host;user-agent;x-sdk-date\n\
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        signature: "a0aaabd0bde71a7ee185ac23fb5bc793ef481508e5cc0c7b0b6ffd33bebbf676",
    },
    Vector {
        name: "client_list_accounts_no_content_type",
        method: "GET",
        path: "/v1/organizations/accounts",
        query: &[("limit", "200")],
        headers: &[
            ("user-agent", "huaweicloud-usdk-python/3.0; test-agent"),
            ("x-sdk-date", "20260102T030405Z"),
            ("host", "organizations.myhuaweicloud.com"),
        ],
        body: "",
        canonical_request: "GET\n\
            /v1/organizations/accounts/\n\
            limit=200\n\
            host:organizations.myhuaweicloud.com\n\
            user-agent:huaweicloud-usdk-python/3.0; test-agent\n\
            x-sdk-date:20260102T030405Z\n\
            \n\
            host;user-agent;x-sdk-date\n\
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        signature: "32a720c60d3d09dba708e5da9a12647ee5322b69c1033f7271c584ef780984ed",
    },
    Vector {
        name: "client_close_account",
        method: "POST",
        path: "/v1/organizations/accounts/05261f923e80d3890f33c0056e9b3f80/close",
        query: &[],
        headers: &[
            ("content-type", "application/json"),
            ("user-agent", "huaweicloud-usdk-python/3.0; test-agent"),
            ("x-sdk-date", "20260102T030405Z"),
            ("host", "organizations.myhuaweicloud.com"),
        ],
        body: "",
        canonical_request: "POST\n\
            /v1/organizations/accounts/05261f923e80d3890f33c0056e9b3f80/close/\n\
            \n\
            content-type:application/json\n\
            host:organizations.myhuaweicloud.com\n\
            user-agent:huaweicloud-usdk-python/3.0; test-agent\n\
            x-sdk-date:20260102T030405Z\n\
            \n\
            content-type;host;user-agent;x-sdk-date\n\
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        signature: "13ef1c9922fb65b63efe60bd2a08375798eb23360c0c4fb1964ebaad2cc89a4a",
    },
    Vector {
        name: "client_tags_path",
        method: "GET",
        path: "/v1/organizations/organizations%3Aaccounts/a%2Fb/tags",
        query: &[("limit", "2")],
        headers: &[
            ("content-type", "application/json"),
            ("user-agent", "huaweicloud-usdk-python/3.0; test-agent"),
            ("x-sdk-date", "20260102T030405Z"),
            ("host", "organizations.myhuaweicloud.com"),
        ],
        body: "",
        canonical_request: "GET\n\
            /v1/organizations/organizations%3Aaccounts/a/b/tags/\n\
            limit=2\n\
            content-type:application/json\n\
            host:organizations.myhuaweicloud.com\n\
            user-agent:huaweicloud-usdk-python/3.0; test-agent\n\
            x-sdk-date:20260102T030405Z\n\
            \n\
            content-type;host;user-agent;x-sdk-date\n\
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        signature: "34cdf017b0b87b88eeb76800a9089405b753dbe067f68060788047c2a621d179",
    },
];

#[test]
fn every_vector_of_the_vendors_signer_is_met() {
    assert_eq!(VECTORS.len(), 16);
    for vector in VECTORS {
        let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let mut headers = pairs(vector.headers);
        let canonical = canonical_request(
            vector.method,
            vector.path,
            &pairs(vector.query),
            &mut headers,
            vector.body.as_bytes(),
        );
        assert_eq!(canonical, vector.canonical_request, "{}", vector.name);
        let signature = signature(&SECRET_KEY.into(), &string_to_sign(DATE, &canonical));
        assert_eq!(signature, vector.signature, "{}", vector.name);
        let names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            authorization(ACCESS_KEY, &headers, &signature),
            format!(
                "SDK-HMAC-SHA256 Access={ACCESS_KEY}, SignedHeaders={}, Signature={}",
                names.join(";"),
                vector.signature
            )
        );
    }
}
