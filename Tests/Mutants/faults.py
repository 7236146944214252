"""The faults that mutants.py plants: mistakes that somebody could make, and the tests that must see them.

`test` is what `swift test --filter` takes, as narrow as can be, or a check in Tests/System. A text is in its file exactly
once, and no longer than it must be.
"""

from collections import namedtuple

Fault = namedtuple("Fault", "name breaks edits test")


def fault(name, breaks, file, old, new, test):
    return Fault(name, breaks, [(file, old, new)], test)


CORE = "Sources/RegistrationCore/"
QUEUE = "Sources/RegistrationQueue/"
DAEMON = "Sources/RegistrationDaemon/"
LISTS = DAEMON + "Lists/"
SPOOL = "Sources/Spool/Directory/"
LIMITS = "Sources/RateLimit/"
DURABILITY = "Tests/System/durability_check.py"

FAULTS = [
    # What may be sent, and what becomes of a key.
    fault(
        "keys-changed-same-generation", "a page of keys that was read before a cancel is taken after it",
        CORE + "KeyLedger.swift", "    nextAhead = 0\n    readAnew()\n", "    nextAhead = 0\n    isDrained = false\n",
        "aPageThatWasReadBeforeKeysChangedIsNotTaken"),
    fault(
        "stale-page", "a page of keys of any generation is taken",
        CORE + "KeyLedger.swift", "guard generation == self.generation,", "guard generation <= self.generation,",
        "aPageOfAnOlderGenerationIsNotTaken"),
    fault(
        "in-hand-without-end", "192,000 keys are sent again after a kill, not 192",
        CORE + "Core.swift", "inHandAtMost = 192", "inHandAtMost = 192_000", "resultsThatWaitForTheDiskStandInTheWay"),
    fault(
        "outage-charged", "attempts count in an outage",
        CORE + "Holds/HoldMoves.swift", "waiting.map { .spare(row: $0) }",
        "waiting.map { .charge(row: $0) }", "OutageTests"),
    fault(
        "charge-lost", "an attempt that counts never reaches the queue",
        CORE + "Core+Replies.swift", "results = charges + results", "results += charges.prefix(0)",
        "anAttemptCountsOnceAnotherKeyIsAnswered"),
    fault(
        "charged-at-once", "an attempt counts before anybody is answered, and for good if the daemon is killed",
        QUEUE + "Record.swift", "case .retry(let due), .postpone(let due): (due.milliseconds - result.at.milliseconds, 0)",
        "case .retry(let due), .postpone(let due): (due.milliseconds - result.at.milliseconds, 1)",
        "aKeyWaitsForItsNextAttempt"),
    fault(
        "wake-up-forgotten", "nobody is told when the next request may go",
        CORE + "Core+HandOut.swift", "  actions.append(.wake(at: wake))\n", "", "everyPromiseIsKept"),
    fault(
        "ageless-canary", "a key that was registered days ago is still a canary",
        CORE + "KnownKey.swift", "now < until ? key : nil", "key", "aCanaryIsWhatTheseCredentialsRegisteredWithinADay"),
    fault(
        "endless-hold", "an answer does not end a hold",
        CORE + "Holds/HoldReplies.swift", "guard job.isProbe, hold.reason != .refused else",
        "guard job.isProbe, hold.reason == .refused else", "HoldsTableTests"),
    fault(
        "hold-half-an-hour-longer", "refused credentials are tried again half an hour after they work",
        CORE + "Holds/ProbeSpacing.swift", "ProbeSpacing(first: 5, longest: 20)", "ProbeSpacing(first: 5, longest: 1_800)",
        "everyPromiseIsKept"),
    fault(
        "wait-of-503-ignored", "a server in trouble that asks for a wait is asked again at once",
        CORE + "Core+Replies.swift", "answer.paced.reading?.retryAfter ?? 0 : 0", "0.0 : 0",
        "aKeyWaitsAsLongAsItsServerAsks"),
    fault(
        "old-endpoint-teaches-limits", "the old endpoint's replies are counted against the new one's limit",
        CORE + "Core+Replies.swift", "if request.endpoint == endpoint { pacer", "if request.endpoint <= endpoint { pacer",
        "aFormerEndpointTeachesNothingOfTheNewOne"),
    fault(
        "old-credentials-are-witnesses", "a reply to old credentials or an old endpoint ends a hold of the new ones",
        CORE + "Core+Replies.swift", "job.isOutdated = job.epoch != epoch", "job.isOutdated = job.epoch > epoch",
        "everyPromiseIsKept"),
    fault(
        "another-epoch", "a request of new credentials passes for one of the old ones",
        CORE + "Core+HandOut.swift", "    job.epoch = epoch\n", "", "everyPromiseIsKept"),
    fault(
        "turn-begins-anew", "lists of lower priority starve while new lists arrive all the time",
        CORE + "KeyLedger.swift", "turns + ahead.count - nextAhead", "ahead.count - nextAhead",
        "turnsGoOnWhenKeysAreReadAnew"),
    # Waits and attempts, as the simulation sees them.
    fault(
        "charged-while-asked", "attempts count while a canary is to tell whether there is an outage",
        CORE + "Holds/HoldReplies.swift",
        "      state = .inquiring(.outage(failures), canary)\n      return [.release(job)]",
        "      state = .inquiring(.outage(failures), canary)\n      return [.retry(job, charge.fault, delay: 1)]",
        "everyPromiseIsKept"),
    fault(
        "suspicion-comes-late", "a hundred attempts are charged before anybody suspects an outage",
        CORE + "Holds/HoldStates.swift", "streak.count + exhausted.count >= patience", "streak.count + exhausted.count >= 20 * patience",
        "everyPromiseIsKept"),
    fault(
        "put-off-for-ever", "keys that stopped all others are put off although nobody is answered",
        CORE + "Holds/HoldStates.swift", "guard let count = times[row], inARow < Self.inARowAtMost else", "guard let count = times[row] else",
        "everyPromiseIsKept"),
    fault(
        "blame-outlives-the-key", "a key that is retried is put off for what it did before it failed",
        CORE + "Holds/HoldMoves.swift", "    doubted.remove(charge.job.key.row)\n    blame.acquit(charge.job.key.row)\n",
        "    doubted.remove(charge.job.key.row)\n", "aKeyThatIsRetriedAfterItsFailureStartsAnew"),
    fault(
        "third-look", "a key that the API does not know is looked for again and again",
        CORE + "Holds/HoldMoves.swift", "charge.fault.status == 404, !charge.job.key.isDenied else", "charge.fault.status == 404 else",
        "everyPromiseIsKept"),
    fault(
        "second-look-too-late", "a second look comes five minutes after the first",
        CORE + "Holds/HoldMoves.swift", "secondLook: Seconds = 30", "secondLook: Seconds = 300", "everyPromiseIsKept"),
    fault(
        "inquiry-without-end", "nothing is sent for a minute, and no hold is reported",
        CORE + "Holds/HoldMoves.swift", "longestInquiry: Seconds = 7.5", "longestInquiry: Seconds = 75", "everyPromiseIsKept"),
    fault(
        "keys-read-again-late", "keys are read again an hour after the disk works",
        CORE + "ReadAhead.swift", "againAfter: Seconds = 1", "againAfter: Seconds = 3_600", "everyPromiseIsKept"),
    fault(
        "results-written-late", "results are written an hour after the disk works",
        CORE + "UnwrittenResults.swift", "tryAgainAfter: Seconds = 1", "tryAgainAfter: Seconds = 3_600", "everyPromiseIsKept"),
    fault(
        "pause-outlives-resume", "a pause goes on after it was ended",
        CORE + "Core.swift", "case .pause(let pause): self.pause = pause", "case .pause(let pause): self.pause = pause ?? self.pause",
        "everyPromiseIsKept"),
    Fault(
        "hostile-wait-obeyed", "a 429 that asks for months is obeyed",
        [
            (LIMITS + "Pacer.swift", "map { min($0, told.map { obeyed[$0].longestWait } ?? Self.longestWait) }", "map { $0 }"),
            (LIMITS + "Pacer.swift", "gate.close(until: min(until, latest), for", "gate.close(until: max(until, min(until, latest)), for"),
        ],
        "everyPromiseIsKept"),
    fault(
        "read-fault-forgotten", "requests are sent while keys that could not be read are read again",
        CORE + "ReadAhead.swift", "case .underWay(let fault): fault", "case .underWay: nil", "StoreFaultTests"),
    fault(
        "two-cancels-at-once", "a cancel begins while another is under way",
        CORE + "CancelTurns.swift", "guard !isUnderWay, self.hasStopped", "guard self.hasStopped", "CancelTurnsTests"),
    fault(
        "stopped-list-forgotten", "the rest of a list that is stopped during a cancel is never cancelled",
        CORE + "CancelTurns.swift", "self.hasStopped = self.hasStopped || hasStopped", "self.hasStopped = hasStopped",
        "CancelTurnsTests"),
    fault(
        "charged-again", "an attempt counts once more with each answer",
        CORE + "Holds/HoldStates.swift", "      streak = []\n", "", "everyPromiseIsKept"),
    # What a reply means.
    fault(
        "401-fails-the-key", "refused credentials fail the key",
        "Sources/RegistrationAPI/Verdict+Reply.swift", "[400, 404, 409,", "[400, 401, 404, 409,",
        "refusedCredentialsAreNoWordAboutTheKeyWhateverIsSaidOfThem"),
    fault(
        "unconfirmed-success", "a captive portal's 200 registers keys",
        "Sources/RegistrationAPI/Verdict+Reply.swift", "!isBodyTruncated, Confirmation.confirms(body, id) {",
        "!isBodyTruncated, Confirmation.confirms(body, id) || !body.isEmpty {", "aSuccessThatDoesNotConfirmTheKeyIsAnotherAttempt"),
    fault(
        "redirect-followed", "secrets go to another host",
        "Sources/Curl/EasyHandle.swift", "CURLOPT_FOLLOWLOCATION, 0", "CURLOPT_FOLLOWLOCATION, 1",
        "redirectsAreNotFollowed"),
    fault(
        "gateway-refuses-credentials", "a gateway's 403 passes for the API's word about the credentials",
        "Sources/RegistrationAPI/OnlineCheck.swift", "case 401 where !error.isTheAPIs, 403 where !error.isTheAPIs:",
        "case 401 where !error.isTheAPIs:", "theOnlineCheckTellsTheAPIFromWhatIsInTheWay"),
    fault(
        "any-200-accepts", "a captive portal accepts the credentials",
        "Sources/RegistrationAPI/OnlineCheck.swift", "case 200..<300 where !Self.isList(reply.body):",
        "case 200..<300 where reply.body.isEmpty:", "whatTheDaemonsCheckFindsIsTheExitStatus"),
    # The rate limit.
    fault(
        "old-429-opens-the-gate", "an earlier refusal, told late, opens the gate before its time",
        LIMITS + "Gate.swift",
        "case .closed(let until, _): self = .closed(until: max(until, instant), then: asker)",
        "case .closed: self = .closed(until: instant, then: asker)", "GateTests"),
    fault(
        "any-reply-ends-the-probe", "the reply to another request than the probe lets all workers go",
        LIMITS + "Gate.swift", "guard case .probing(permit, _, let then) = self", "guard case .probing(_, _, let then) = self",
        "GateTests"),
    fault(
        "retry-after-ignored", "the seconds of a Retry-After are not read",
        LIMITS + "Reading/RetryAfter.swift", "delays.append(seconds)", "_ = seconds", "ReadingTests"),
    fault(
        "reserve-ignored", "nothing is left to others",
        LIMITS + "Limits/WindowLimit.swift", "{ reserve.withheld(of: budget.limit) }", "{ 0 }", "WindowLimitTests|PacerTests"),
    fault(
        "raised-limit-ignored", "a limit that is raised while keys are registered is not used",
        LIMITS + "Limits/WindowBudget.swift", "guard new != limit, flight", "guard new < limit, flight",
        "aChangedLimitIsUsedAndTheEndIsToldAnew"),
    fault(
        "limit-not-kept", "what was learned of the limit is gone after a restart",
        "Sources/RegistrationDaemon/Upkeep/QueueUpkeep.swift", "    keepLearned()\n", "", "whatWasLearnedOfTheLimitIsKnownAfterARestart"),
    fault(
        "own-requests-forgotten", "requests of our own before a restart count as others'",
        "Sources/RegistrationDaemon/Work/Shell+Start.swift", "sent: earlier.sent.map { moment.now - $0 }", "sent: []", "ownRequestsBeforeItAreNotOthers"),
    fault(
        "pause-is-a-period", "a pause between a 429 and the next probe is taken for the period of a limit",
        LIMITS + "Limits/SearchedLimit.swift", "let isKnown = back.high - probesFrom < Self.longestProbe",
        "let isKnown = back.high > probesFrom - Self.longestProbe", "whenQuotaCameBackDuringAPauseIsNotGuessed"),
    fault(
        "sliding-count-seen-late", "quota of a sliding count that has come back is asked for one by one",
        LIMITS + "Limits/WindowLimit.swift", "        remaining > budget.remaining\n",
        "        remaining > budget.limit\n", "aUsedUpWindowThatLetsMorePassThanItHoldsIsNone"),
    fault(
        "end-told-too-early", "the end is told as if half of the keys were left",
        LIMITS + "Pacer+Standing.swift", "Forecast(backlog: backlog,", "Forecast(backlog: backlog / 2,",
        "theEndIsToldWithinATenthOfWhatIsLeft"),
    fault(
        "refused-replies-count", "replies that cost no quota count as our own after a restart",
        QUEUE + "RecentReplies.swift", "NOT IN (401, 403, 429)", "NOT IN (401, 429)", "RecentRepliesTests"),
    fault(
        "first-attempts-twice", "the only attempt of a key counts twice after a restart",
        QUEUE + "RecentReplies.swift", "attempts > 1", "attempts > 0", "RecentRepliesTests"),
    # Lists.
    fault(
        "csv-doubled-quote", "a quote that is written twice ends its field",
        "Sources/KeyList/CSVRecord.swift", "offset = found + 2", "offset = found + 1",
        "ids_written_in_any_form_are_read_back"),
    fault(
        "duplicate-counted-twice", "a key that is twice in a list is accepted twice",
        QUEUE + "Import.swift", "{ counts.accepted += 1 } else { counts.duplicateInList += 1 }",
        "{ counts.accepted += 1 } else { counts.accepted += 1 }", "duplicatesAreCountedWithinABatchAndAcrossBatches"),
    fault(
        "filed-before-its-last-batch", "a long list is filed with its first 2,000 entries",
        LISTS + "ListReading.swift", "if isLast, let list {", "if let list {", "aLongListIsFiledOnceItIsReadToItsEnd"),
    fault(
        "receipt-after-move", "a kill leaves a list in done/ without a receipt",
        SPOOL + "SpoolMoves.swift",
        "    try store(receipt, as: name)\n"
        "    let moved = try move(name.fileName, file.status.identity, to: .done)\n",
        "    let moved = try move(name.fileName, file.status.identity, to: .done)\n    try store(receipt, as: name)\n",
        "aListComesBehindItsReceiptOrReason"),
    fault(
        "ids-of-things-taken", "`service_id` and `trace_id` say nothing of what their ids are",
        "Sources/KeyList/IDName.swift", "if isOfIDs, Vocabulary.withID", "if !isOfIDs, Vocabulary.withID", "IDNameTests"),
    fault(
        "without-is-with", "`users_without_app_keys` are application keys",
        "Sources/KeyList/IDName.swift", "if let preposition = before.firstIndex(where: Self.isPreposition), isOther",
        "if let preposition = before.firstIndex(where: Self.isPreposition), !isOther", "IDNameTests"),
    Fault(
        "names-alike-are-one-list", "two lists whose names are the same text in other bytes are one",
        [
            ("Sources/Spool/Names/ListName.swift", "one.text.utf8.elementsEqual(other.text.utf8)", "one.text == other.text"),
            (
                "Sources/Spool/Names/ListName.swift",
                "    var text = text\n    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }\n",
                "    hasher.combine(text)\n",
            ),
        ], "names_are_told_apart_by_their_bytes"),
    # The queue.
    fault(
        "synchronous-normal", "a power cut takes commits back",
        QUEUE + "Connections.swift", "PRAGMA synchronous = FULL", "PRAGMA synchronous = NORMAL",
        "everyCommitIsFlushedToDisk"),
    fault(
        "counters-off-by-one", "a key that two lists name is not in the counters of the second",
        QUEUE + "Import.swift", "      changes.share(old, with: list)\n", "", "countersEqualACount"),
    Fault(
        "registered-key-cancelled", "cancelling a list takes back outcomes of keys that it shares with another",
        [
            (QUEUE + "Cancel.swift", "WHERE id = ? AND state IN (0, 1) AND", "WHERE id = ? AND state IN (0, 1, 2) AND"),
            (QUEUE + "Cancel.swift", "AND key.state IN (0, 1) AND", "AND key.state IN (0, 1, 2) AND"),
        ], "anOutcomeStaysThoughEveryListOfItsKeyIsCancelled"),
    fault(
        "cancelled-in-flight-sent-again", "a key that comes back to a cancelled list without an outcome is sent once more",
        QUEUE + "Feed.swift", "(cancels.awaited.isEmpty ? taken : taken.union(cancels.awaited.keys), cancels",
        "(taken, cancels", "theQueueIsAsItsModelIs"),
    fault(
        "acknowledged-before-commit", "an outcome is told as recorded before it is on disk",
        "Sources/RegistrationDaemon/Work/Recorder.swift", "try queue.record(group)\n",
        "report(.recorded(group))\n        try queue.record(group)\n", "whatIsToldAsRecordedIsOnDisk"),
    fault(
        "priority-ignored", "of the lists that wait behind another the lowest go first",
        QUEUE + "Feed.swift", "levels.dropFirst().reversed().reduce", "levels.dropFirst().reduce", "theQueueIsAsItsModelIs"),
    fault(
        "stopped-too-early", "a list is stopped for one failure of a few keys",
        QUEUE + "Terms.swift", "AND registered + failed >= ?3 AND", "AND registered + failed >= ?3 / 10 AND",
        "theQueueIsAsItsModelIs"),
    fault(
        "index-of-waiting-keys-not-checked", "a key that waits is lost from its index, and the check of the queue says nothing",
        QUEUE + "Integrity/QueueCheck.swift",
        "      AND (part.state = 1) = EXISTS (SELECT 1 FROM key AS twin INDEXED BY key_retrying\n"
        "        WHERE twin.state = 1 AND twin.due_at IS part.due_at AND twin.id = part.id)\n", "",
        "aChangedEntryOfAnyIndexIsFound"),
    fault(
        "indexes-of-lists-not-checked", "the check of the queue passes over the indexes of lists",
        QUEUE + "Integrity/QueueCheck.swift", "table == \"key\" ? \"quick_check\" : \"integrity_check\"",
        "table.isEmpty ? \"integrity_check\" : \"quick_check\"", "aChangedEntryOfAnyIndexIsFound"),
    fault(
        "lock-not-taken", "two daemons work on one queue",
        "Sources/Registration/FileIO.swift", "flock(descriptor, LOCK_EX | LOCK_NB)",
        "flock(descriptor, LOCK_SH | LOCK_NB)",
        "aSecondOwnerOfTheStateDirectoryIsToldWhoHasIt"),
    # Whose fault a hold is, and what is kept through it.
    fault(
        "refusals-lost-in-a-hold", "what the API said of keys is forgotten when another key begins a hold",
        CORE + "Holds/HoldMoves.swift", "if reason == .refused { effects += denials", "do { effects += denials",
        "aRefusalStandsBesideKeysThatHoldEverythingUp"),
    fault(
        "refusals-wait-for-the-end", "what the API said of keys stands only once a hold has ended",
        CORE + "Holds/HoldMoves.swift", "canariesBeforeVerdict = 3", "canariesBeforeVerdict = 300",
        "aRefusalStandsBesideKeysThatHoldEverythingUp"),
    fault(
        "refusals-stand-at-once", "what the API said of keys stands with the first canary that comes back",
        CORE + "Holds/HoldMoves.swift", "canariesBeforeVerdict = 3", "canariesBeforeVerdict = 0",
        "aRefusalStandsOnceThreeCanariesOfAHoldHaveComeBack"),
    fault(
        "forbidden-first-for-ever", "keys with 403 that began a hold stop everything again as long as nothing is registered",
        CORE + "Holds/HoldReplies.swift",
        "if denials.isUnproven, let effects = putOff(charge)",
        "if !denials.isUnproven, let effects = putOff(charge)", "aKeyWhose403AKnownKeyHasExplainedIsNotPutOffAgain"),
    fault(
        "forbidden-always-put-off", "a key with 403 that began a hold is put off although others succeed",
        CORE + "Holds/HoldReplies.swift",
        "if denials.isUnproven, let effects = putOff(charge)",
        "if let effects = putOff(charge)", "aKeyThatIsRetriedAfterItsFailureStartsAnew"),
    fault(
        "nobody-blamed-for-403", "keys whose 403 began a hold are never put off",
        CORE + "Holds/HoldReplies.swift",
        "hold.fault.status == 403 && !denials.isUnproven\n",
        "hold.fault.status == 403\n", "aKeyWhose403AKnownKeyHasExplainedIsNotPutOffAgain"),
    fault(
        "latest-word-decides-blame", "keys that began a hold are not put off once a canary of it got a 403",
        CORE + "Holds/HoldReplies.swift",
        "let isUndecided = hold.reason == .credentials && hold", "let isUndecided = hold",
        "aKeyIsBlamedForAHoldWhateverItsCanariesWereTold"),
    fault(
        "blamed-key-ends-the-hold", "a key that is to blame turns a hold of refused keys into another one",
        CORE + "Holds/HoldMoves.swift",
        "if case .holding(let hold, _) = state, hold.reason != .refused { return nil }",
        "if case .holding = state { return nil }", "aKeyThatIsToBlameEndsNoHoldOfRefusedKeys"),
    fault(
        "explained-key-still-blamed", "a key whose 403 another's success has explained is put off again and again",
        CORE + "Holds/HoldMoves.swift",
        "      // Whatever it began before, it is tried again at once.\n      blame.acquit(suspect.job.key.row)\n",
        "", "aKeyWhose403AKnownKeyHasExplainedIsNotPutOffAgain"),
    fault(
        "blame-outlives-a-success", "a key that was registered is put off for what it did before when it is registered again",
        CORE + "Holds/HoldReplies.swift",
        "    blame.acquit(job.key.row)\n    blame.somebodyAnswered()\n    // A key that is already",
        "    blame.somebodyAnswered()\n    // A key that is already", "aKeyThatTheAPIHasAnsweredIsBlamedForNothing"),
    fault(
        "blame-outlives-a-refusal", "a key of which the API has spoken is put off for what it did before",
        CORE + "Holds/HoldReplies.swift",
        "    blame.acquit(job.key.row)\n    blame.somebodyAnswered()\n    if case",
        "    blame.somebodyAnswered()\n    if case", "aKeyThatTheAPIHasAnsweredIsBlamedForNothing"),
    fault(
        "401-blames-the-first-only", "only the first of many keys with 401 is put off",
        CORE + "Holds/HoldReplies.swift",
        "if !charge.job.isKnownGood { hold.triggers.insert",
        "if charge.job.isKnownGood { hold.triggers.insert", "allKeysWith401InAHoldAreBlamedForIt"),
    fault(
        "lost-canaries-one-by-one", "a 403 is examined with one failing key after the other, although a known good one could tell",
        CORE + "Holds/HoldStates.swift",
        "suspicion.refusedCanaries < 2 && suspicion.lostCanaries == 0 ?",
        "suspicion.refusedCanaries < 2 ?", "aListOfBadKeysEndsBesideAKnownGoodOne"),
    fault(
        "good-canary-comes-late", "a hold that single keys begin lasts five seconds although a known good key could tell",
        CORE + "Holds/HoldMoves.swift",
        "case .credentials where canary.returns == 1 && !blame.isEmpty:",
        "case .credentials where canary.returns == 1 && blame.isEmpty:", "keysThatAreAnswered401HardlyDelayTheOthers"),
    fault(
        "refused-key-stays-canary", "a key that was registered, and that the API refuses now, is still a canary",
        CORE + "Core+Replies.swift", "case .failed: known.refused(row: job.key.row)", "case .failed: break",
        "aKeyThatTheAPIHasRefusedSinceIsNoCanary"),
    fault(
        "any-refusal-ends-the-canary", "there is no canary once any key was refused",
        CORE + "KnownKey.swift", "if key?.row == row { key = nil }", "key = row > 0 ? nil : key",
        "aListOfBadKeysEndsBesideAKnownGoodOne"),
    fault(
        "canary-waits-for-its-commit", "a key is no canary until its registration is on disk",
        CORE + "KeyLedger.swift",
        "    case .ready, .inFlight, .awaitingWitness: true\n    case .awaitingCommit, nil: false",
        "    case .ready, .inFlight, .awaitingWitness, .awaitingCommit: true\n    case nil: false", "aKeyIsACanaryAsSoonAsItIsRegistered"),
    fault(
        "witness-of-itself", "a key that is to be registered again is the canary that decides about it",
        CORE + "KeyLedger.swift",
        "    case .ready, .inFlight, .awaitingWitness: true\n    case .awaitingCommit, nil: false",
        "    case .ready, .inFlight, .awaitingWitness, .awaitingCommit, nil: false", "aKeyThatIsToBeRegisteredAgainIsNoCanary"),
    # Turns.
    fault(
        "turns-not-counted", "each read begins with the first turn, so that lists of lower priority never have theirs",
        CORE + "KeyLedger.swift", "      turns += 1\n", "", "turnsGoOnWhenKeysAreReadAnew"),
    fault(
        "second-turn", "a key that is sent again at once takes another's turn",
        CORE + "KeyLedger.swift", "      turns += 1\n    }\n", "    }\n    turns += 1\n", "turnsGoOnWhenKeysAreReadAnew"),
    fault(
        "turn-untold", "the queue is not told how many keys have had their turn",
        CORE + "Core+HandOut.swift", ", turn: ledger.nextTurn)", ", turn: 0)", "aReadGoesOnWithTheTurnsThatWereTaken"),
    fault(
        "empty-list-in-front", "the last waiting key of a list in front takes the turns of all pending keys",
        QUEUE + "Feed.swift", "        guard !level.isEmpty else { continue }\n", "",
        "aListWithoutPendingKeysStandsInNobodysWay"),
    # Whose spool it is, and who is served.
    fault(
        "folder-not-locked", "a second daemon serves a spool whose lock file was removed",
        "Sources/Registration/FolderLock.swift",
        "folder = try Self.locked(folderPath)",
        "folder = try FileIO.open(folderPath, O_RDONLY | O_DIRECTORY)", "aSpoolIsServedByOneDaemon"),
    fault(
        "refused-folder-is-none", "another daemon's lock of the folder counts as a file system that locks none",
        "Sources/Registration/FolderLock.swift",
        "    close(descriptor)\n    throw SystemFault(code: EWOULDBLOCK)",
        "    close(descriptor)\n    return -1", "aSpoolIsServedByOneDaemon"),
    fault(
        "lock-file-is-the-spool", "a spool whose lock file was removed counts as replaced",
        DAEMON + "Ownership/SpoolLock.swift",
        "isIn(spool.path) || lock?.isFolder(at: spool.path(of: .reading)) ?? false",
        "isIn(spool.path)", "aSpoolThatReplacesItsOwnIsLockedAndServed"),
    fault(
        "replaced-spool-not-locked", "a spool that was put into the place of the daemon's own is served without a lock",
        DAEMON + "Ownership/SpoolOwnership.swift",
        "      state.withLock { state in (state.lock, state.forms) = (lock, forms) }\n      return lock",
        "      state.withLock { $0.forms = forms }\n      return lock", "aSpoolThatReplacesItsOwnIsLockedAndServed"),
    fault(
        "another-daemons-spool-kept", "a daemon whose spool was replaced by another daemon's goes on",
        DAEMON + "Ownership/SpoolOwnership.swift", "      lost(error)\n", "", "aDaemonEndsWhenItsSpoolIsReplacedByAnothers"),
    fault(
        "dropped-connection-left-open", "a client that connects while the daemon stops ends it with a trap",
        "Sources/HTTPServer/AcceptedConnections.swift", "isTaken = Atomic(false)", "isTaken = Atomic(true)",
        "aServerIsStoppedWhileClientsConnect"),
    # What operators are told.
    fault(
        "outcome-in-the-present-minute", "outcomes count in the minute in which they are seen",
        DAEMON + "Control/History.swift", "let own = min(minute, present)", "let own = max(minute, present)",
        "anOutcomeIsInTheMinuteOfItsOwnTimeWheneverItIsSeen"),
    fault(
        "outcome-to-come", "outcomes from before the clock was set back are in minutes that are still to come",
        DAEMON + "Control/History.swift", "let own = min(minute, present)", "let own = minute",
        "noOutcomeIsInAMinuteThatIsStillToCome"),
    fault(
        "past-minute-not-stored", "an outcome that is seen in the next minute is gone after a restart",
        DAEMON + "Control/History.swift", "      unsaved.insert(own)\n", "",
        "anOutcomeIsInTheMinuteOfItsOwnTimeWheneverItIsSeen"),
    fault(
        "recount-not-stored", "what is counted again after a kill is not stored",
        DAEMON + "Control/History.swift", "isNews: !unsaved.isEmpty,", "isNews: false,", "whatWasCountedAtTheStartIsStored"),
    fault(
        "children-survive", "what a notification's command started is not killed with it",
        DAEMON + "Notify/CommandGroup.swift", "Glibc.kill(-number, SIGKILL)", "Glibc.kill(number, SIGKILL)",
        "whatACommandStartedIsKilledWithIt"),
    fault(
        "killed-for-nothing", "a command that the daemon killed is reported as killed by somebody else",
        DAEMON + "Notify/CommandGroup.swift",
        "guard signal == SIGKILL, let cause else",
        "guard signal != SIGKILL, let cause else", "aStopKillsTheCommandAndLetsNoneBegin"),
    fault(
        "command-after-stop", "a notification's command begins after the daemon was told to stop",
        DAEMON + "Notify/CommandDelivery.swift", "      if case .stopped = state { return nil }\n", "",
        "aStopKillsTheCommandAndLetsNoneBegin"),
    # Limits that are seldom mentioned.
    fault(
        "odd-reply-believed-for-ever", "a limit that one reply mentions is never given up",
        LIMITS + "Limits/Repetition.swift", "silent > patience * told }", "silent > 100 * patience * told }",
        "oneOddReplyIsForgotten"),
    fault(
        "refusals-count-believed", "the count on a refusal is taken for a limit of its own",
        LIMITS + "Limits/Repetition.swift", "!reply.isThrottled && (givenUp", "(givenUp",
        "aCountOnRefusalsAloneIsNoLimitOfItsOwn"),
    # What a power cut leaves.
    fault(
        "claim-not-synced", "a claimed list is in incoming/ again after a power cut, and read twice",
        SPOOL + "SpoolClaim.swift", "    try folder(.reading).sync()\n    try folder(.incoming).sync()\n",
        "    try folder(.incoming).sync()\n", DURABILITY),
    fault(
        "filing-not-synced", "a filed list, or its receipt, is gone after a power cut",
        SPOOL + "SpoolMoves.swift", "to: file, in: target)\n    try target.sync()\n", "to: file, in: target)\n", DURABILITY),
    fault(
        "new-file-not-synced", "the queue says that results are written or a list is filed, and a power cut takes the file",
        SPOOL + "NewFile.swift", "    try rename(to: name)\n    try folder.sync()\n", "    try rename(to: name)\n", DURABILITY),
    fault(
        "content-not-synced", "a file has its name before its content is on disk",
        SPOOL + "NewFile.swift", "    try sync()\n    try rename(to: name)\n", "    try flush()\n    try rename(to: name)\n",
        DURABILITY),
    fault(
        "list-not-synced", "a list is in done/ and its bytes are not on disk",
        SPOOL + "SpoolMoves.swift", "    try file.sync()\n    try store(", "    try store(", DURABILITY),
    fault(
        "group-not-synced", "lists that were filed together are in done/ and their bytes are not on disk",
        SPOOL + "GroupMove.swift", "lists.map(\\.file.descriptor.number) + receipts.map(\\.descriptor.number)",
        "receipts.map(\\.descriptor.number)", DURABILITY),
    fault(
        "group-receipts-not-synced", "receipts of lists that were filed together are empty after a power cut",
        SPOOL + "GroupMove.swift",
        "lists.map(\\.file.descriptor.number) + receipts.map(\\.descriptor.number)",
        "lists.map(\\.file.descriptor.number)", DURABILITY),
    fault(
        "group-filing-not-synced", "lists that were filed together are in reading/ again after a power cut",
        SPOOL + "GroupMove.swift", "    try done.sync()\n    try reading.sync()\n", "    try done.sync()\n", DURABILITY),
    fault(
        "results-not-synced", "the queue says that results are written, and a power cut takes their names",
        LISTS + "ResultsWriter.swift", "    try spool.syncResults()\n", "", DURABILITY),
]
