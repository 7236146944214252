import Testing

@testable import KeyList

/// What titles, headings and the names of members say about the ids that they stand for.
struct IDNameTests {
  @Test(arguments: [
    "app_key_id", "appKeyIds", "APP_KEY_IDS", "Application Keys", "applicationKeys", "team_a_app_keys",
    "TEAM_A_APP_KEY_ID_2", "list of app keys", "app_keys_by_user", "app keys managed by Terraform", "appkeyids",
    "app-keys-old",
  ])
  func application_keys(name: String) {
    #expect(IDName.meaning(of: Array(name.utf8)) == .keys)
    #expect(IDName.meaning(of: Array(name.utf8), isLabel: true) == .keys)
  }

  @Test(arguments: [
    "users", "user_id", "userIds", "USERIDS", "UserIDs", "User ID", "owner", "admins", "Members", "APIKeys", "API keys",
    "apikeyids", "api_key_id", "api-keys", "created_by", "createdBy", "Created By", "Last modified by", "created_by_id",
    "actor", "public_id", "org_id", "orgUUIDs", "client_id", "trace_id", "service account", "serviceAccountIDs",
    "service_access_tokens", "people", "policies", "deleted", "failed", "Failed keys", "SSH keys", "app_key_owner_id",
    "app_key_owners", "owners_of_app_keys", "users without app keys", "user_list", "usersOfCI", "all users",
    "app_key_created_by", "assigned_to", "usr.id", "Benutzer-ID", "Utilisateurs", "usuario_id",
    "ユーザーID", "app_id", "Users (3)", "RUM applications", "team ids",
  ])
  func something_else(name: String) {
    #expect(IDName.meaning(of: Array(name.utf8)) == .other)
  }

  @Test(arguments: [
    "", "id", "ids", "uuid", "keys", "key", "key_ids", "team_keys", "CI", "team-a", "Team A", "x", "values", "things",
    "data", "results", "prod_ids", "platform", "orgchart", "hosting", "controllers", "services", "new keys", "valid",
    "keys of users",
  ])
  func nothing(name: String) {
    #expect(IDName.meaning(of: Array(name.utf8)) == .unknown)
  }

  /// Above lines of text, it may say whose keys they are.
  @Test(arguments: ["Platform team", "CI user", "Data org", "the bot account of CI"])
  func a_label(name: String) {
    #expect(IDName.meaning(of: Array(name.utf8), isLabel: true) == .unknown)
  }

  @Test(arguments: [
    "Platform teams", "CI user ids", "Team", "Our users", "Assigned user", "Identifiant utilisateur", "Created by user",
  ])
  func a_label_of_something_else(name: String) {
    #expect(IDName.meaning(of: Array(name.utf8), isLabel: true) == .other)
  }
}
