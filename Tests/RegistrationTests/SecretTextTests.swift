import Registration
import Testing

struct SecretTextTests {
  @Test(arguments: [
    ("0123456789abcdef0123456789abcdef", "(redacted)"),
    ("key0123456789ABCDEF0123456789abcdef01234567_x", "key(redacted)_x"),
    ("_0123456789abcdef0123456789abcdef01234567", "_(redacted)"),
    ("pub0123456789abcdef0123456789abcdef", "pu(redacted)"),
    ("a ddapp_Ab3dEf6hIj9l, b", "a (redacted), b"),
    ("DDAPP_AB3DEF", "(redacted)"),
    ("ddpat_abc_DEF-1 ddsat_x9", "(redacted) (redacted)"),
    ("DD_API_KEY=0123", "DD_API_KEY=(redacted)"),
    ("export DD_APP_KEY=\"abc def\"", "export DD_APP_KEY=\"(redacted)\""),
    ("dd-application-key: Abcdefgh12345678", "dd-application-key: (redacted)"),
    ("DD_APP_KEY: S3cretPass99", "DD_APP_KEY: (redacted)"),
    ("\"appKey\": \"S3cretPass99\"", "\"appKey\": \"(redacted)\""),
    ("api_key: 0123456789abcdef0123456", "api_key: (redacted)"),
    ("{\"api_key\":\"Abcdefgh12345678\"}", "{\"api_key\":\"(redacted)\"}"),
    ("http://user:password@host:99999", "http://(redacted)@host:99999"),
    ("proxy user:pa55@host", "proxy (redacted)@host"),
    ("0123456789abcdef 0123456789abcdef", "(redacted)"), ("ddapp_Ab3dEf6h Ij9lMn0p, b", "(redacted), b"),
    ("ddapp_ Ab3dEf6hIj9l", "(redacted)"), ("set DD_API_KEY hunter2", "set DD_API_KEY (redacted)"),
    ("tool --api_key hunter2 --x", "tool --api_key (redacted) --x"), ("--password hunter", "--password (redacted)"),
    ("--token correcthorsebatterystaple", "--token (redacted)"),
    ("trace of 0123456789abcdef0123456789abcdef", "trace of (redacted)"),
    ("trace_id=0123456789abcdef0123456789abcdef01234567", "trace_id=(redacted)"),
    ("<api_key>hunter</api_key>", "<api_key>(redacted)</api_key>"), ("DD_API_KEY%3Dhunter", "DD_API_KEY%3D(redacted)"),
    ("password:hunter", "password:(redacted)"), ("password: hunter2", "password: (redacted)"),
    ("Authorization: Bearer abc.def", "Authorization: (redacted)"),
    ("a eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln b", "a (redacted) b"),
  ])
  func what_looks_like_a_secret_is_cut_out(text: String, redacted: String) {
    #expect(SecretText.redacted(text) == redacted)
  }

  @Test(arguments: [
    "", "x", "00000000-0000-4000-8000-00000000000a", "app_key_id", "deadbeef", "someone@example.com",
    "http://host:80/path", "DD_API_KEY: it is not there", "DD_API_KEY is not set", "DD_API_KEY=(redacted).2",
    "added_to_something_else", "Daddy_", "app_key:00000000-0000-4000-8000-00000000000a", "set DD_API_KEY and go on",
    "00000000-0000-4000-8000-00000000000a 11111111-1111-4111-8111-11111111111b", "--app-key FILE is needed",
    "set DD_API_KEY again", "an app key: 17 of them", "token: expired in 2026",
    "run it with --token first", "--app-key hunter",
    "--app-key 00000000-0000-4000-8000-00000000000a", "trace_id=0123456789abcdef0123456789abcdef",
    "{\"trace-id\": \"0123456789abcdef0123456789abcdef\"}", "Request ID: 0123456789abcdef0123456789abcdef",
    "the password: it is not there", "ddapp_ is the prefix", "eyJ.is.none", "deadbeef deadbeef",
  ])
  func what_is_no_secret_stays(text: String) {
    #expect(SecretText.redacted(text) == text)
  }

  @Test func half_a_secret_at_a_cut_is_cut_out_too() {
    let text = Array("x 0123456789abcdef01234".utf8)
    #expect(SecretText.redacted(text, isCut: true) == Array("x ".utf8))
  }
}
