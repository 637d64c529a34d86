# The words of pages and terminal forms. Plain text: markup in a message is shown, never interpreted.
# Words are neutral: they say what was counted, from what, and what is missing. They name no result as final.

language-name = English
language-choice = Language
skip-to-content = Skip to the content
drill-banner = Drill: these figures are a rehearsal, not the result of an election.

## Where the reader is
nav-home = All contests
nav-contest = Contest
nav-stations = Stations
poll-day = Poll of { $date }
figures-source = Source of the figures: { $source }
log-state = As of { $size } entries of the log
log-open = The log is not finished: more can follow.
log-finished = The log is finished: nothing follows.
log-cosigned = Witnesses that cosigned its first { $size } entries: { $names }.
contests-heading = Contests
open-contest = Results and stations

## The four questions
question-in = How much is in?
question-sum = What does it add up to?
question-order = Can the order still change?
question-check = How do I check it myself?

in-headline = { $held ->
    [one] { $counted } of { $held } station counted
   *[other] { $counted } of { $held } stations counted
}
in-rejected = { $n ->
    [one] { $n } record was rejected by a rule: it is in the log and in no total.
   *[other] { $n } records were rejected by a rule: they are in the log and in no total.
}
in-none-rejected = No record was rejected.

status-counted = Counted
status-quarantined = In quarantine
status-missing = Missing
status-counted-means = in the totals
status-quarantined-means = recorded, but a rule asks for clearance; not in the totals
status-missing-means = no record yet that can stand; never taken as zero

sum-headline = { $n ->
    [one] { $n } valid vote counted
   *[other] { $n } valid votes counted
}
sum-legend = Solid: counted. Pale: the most that stations not counted could still add. Line: where the counted votes of the first end.
sum-legend-unknown = Solid: counted. The most that could still be added is not drawn, because it is not known.
sum-more = { $n ->
    [one] { $n } more candidate is in the table below.
   *[other] { $n } more candidates are in the table below.
}
share-rule = Shares are of the valid votes counted, rounded half up to 0.01%; they need not add up to 100%.

premises = Premises
limits = What this does not show
limit-order = Stations do not report in random order, so no probability follows from the figures so far.
limit-counting = Adding up can be checked here. Whether the stations counted the ballots correctly cannot.
limit-fraud = An unusual figure is never proof of a wrong, and finding none is never proof of accuracy.

check-intro = This page is part of a folder that holds every record behind it. Copy the folder and run:
check-does = The command redoes the signatures, the log, the rules and the sums, and lists all that does not hold.
check-trust = Take the definition hash and the log key for the trust file from outside this folder: a newspaper, a party, paper. Without them, the folder is only shown to agree with itself.
check-compare = Compare with a copy from elsewhere
fact-definition = Definition hash
fact-origin = Log
fact-key = Log key
fact-size = Entries
fact-root = Merkle root

## Tables
candidates-heading = Candidates
lines-heading = Ballot lines
lines-note = What voters marked. A candidate's votes are the sum over the lines that name them.
parties-heading = Parties
parties-note = A party's votes are the sum over its ballot lines.
figures-heading = Other figures
figures-note = Each is the sum over the counted records that state it. A figure that a record does not state is not zero.
figures-roll = Counted stations have { $counted } voters on their rolls, of { $all } in the register.
figures-roll-unknown = { $n ->
    [one] The register gives no roll for { $n } station; it is in neither figure.
   *[other] The register gives no roll for { $n } stations; they are in neither figure.
}
areas-heading = By area
areas-note = Every station is a square. The tables below hold the same figures.
area-direct = Not in a smaller area
stations-heading = Stations
stations-note = Stations that vote in this contest, with their log entries and the rules that their records fail.
stations-all = All stations and their records
stations-range = Stations { $from } to { $to } of { $n }
none-here = None.
data-heading = Data
data-stations = Status of every station (CSV)
data-totals = Totals (JSON)
data-register = Register of stations (CSV)
data-ballot = Ballot lines (CSV)
data-checkpoint = Checkpoint of the log

column-candidate = Candidate
column-line = Ballot line
column-party = Party
column-votes = Votes
column-share = Share
column-area = Area
column-held = Stations
column-counted = Counted
column-quarantined = In quarantine
column-missing = Missing
column-others = Others
column-figure = Figure
column-sum = Sum
column-stated = Records that state it
column-number = Number
column-station = Station
column-rules = Rules
column-entries = Log entries

## Corrections and endorsements
stands-heading = As counted, and as it stands
stands-note = As counted are the figures of the stations’ own records. As it stands has the figures of the corrections in force in their place. Nothing else differs.
stands-notice = { $n ->
    [one] These figures are as counted. { $n } correction is in force; as it stands is shown beside them below.
   *[other] These figures are as counted. { $n } corrections are in force; as it stands is shown beside them below.
}
column-as-counted = As counted
column-as-it-stands = As it stands
column-difference = Difference
stands-stations = Stations counted
corrections-heading = Corrections
corrections-note = Each is signed by as many members of the electoral authority as the definition asks for. One that a later one took the place of stays listed. The effect is what it changed when compared with what stood before it.
column-stage = Stage
column-effect = Effect
column-signed = Signed by
stage-canvass = Canvass
stage-ruling = Ruling
stage-rerun = Poll held again
correction-replaced = a later correction took its place
correction-annuls = The station’s poll in this contest counts no longer.
correction-no-change = No candidate’s votes change.
correction-counts-station = The station was not counted before.
correction-uncounts-station = The station is not counted any more.
endorsed = { $n ->
    [one] { $n } record is endorsed: an agent, an observer or its own station has co-signed it.
   *[other] { $n } records are endorsed: an agent, an observer or their own station has co-signed them.
}
station-corrected = corrected, log entry { $entry }
station-annulled = annulled, log entry { $entry }
data-statements = Statements: corrections, endorsements, keys, policies (JSON)
correction-re-01 = A figure was entered wrongly; the station’s paper record has the right one.
correction-re-02 = The station’s paper record itself was wrong; the authority has established the right figures.
correction-re-03 = No record came that could be counted; these are the figures of the paper record.
correction-re-04 = Different records came; these figures hold.
correction-re-05 = A rule kept the record apart; its figures were examined, and these hold.
correction-re-06 = The ballots were counted again.
correction-re-07 = A court or electoral body has ruled.
correction-re-08 = The station’s poll was annulled.
correction-re-09 = The station’s poll was held again.
correction-re-10 = An earlier correction was wrong.

## Rules
rules-heading = The rules named above
rule-remedy = What to do
severity-warn = Warning: counted, and shown
severity-quarantine = Quarantine: not counted until cleared
severity-reject = Reject: in the log, never counted

## Figures of a record
figure-blank = Blank ballots
figure-null = Null ballots
figure-voters = Voters admitted
figure-registered = Voters on the roll
figure-total = Total as stated
figure-valid = Valid votes
figure-cast = Ballots cast

## The station's form and queue, in the terminal
form-title = Tally record of station { $station }, contest { $contest }
form-count = Count for { $line }:
form-figure = { $figure } (empty if the paper does not say):
form-sum = Sum so far: { $n }
form-not-a-count = “{ $input }” is not a count. Enter a whole number, such as 0 or 127.
form-findings = { $n ->
    [one] The record fails { $n } rule:
   *[other] The record fails { $n } rules:
}
form-no-findings = The record fails no rule.
form-confirm = Seal this record? A sealed record cannot be changed. (yes/no)
form-answer-yes = yes
form-answer-no = no
form-sealed = Sealed: { $file }
form-not-sealed = Not sealed. Nothing was written.
receipt-received = Receipt for station { $station }, contest { $contest }: the centre holds the record.
receipt-waiting = No receipt yet for station { $station }, contest { $contest }; trying again in { $seconds } s.
receipt-rejected = The centre rejected the record of station { $station }, contest { $contest }:
queue-empty = Every sealed record has its receipt.
queue-waiting = { $n ->
    [one] { $n } sealed record waits for its receipt.
   *[other] { $n } sealed records wait for their receipts.
}

## The report of a drill
drill-report = Drill report
drill-seed = Seed { $seed }
drill-question-in = How many stations have their receipt?
drill-question-holds = Does everything hold?
drill-question-wait = How long did a receipt take?
drill-question-against = What came against it?
drill-in = { $of ->
    [one] { $have } of { $of } station has its receipt
   *[other] { $have } of { $of } stations have their receipt
}
drill-in-records = { $of ->
    [one] { $have } of { $of } record has a receipt.
   *[other] { $have } of { $of } records have a receipt.
}
drill-in-most = 97 of 100 records had theirs { $seconds } s after poll close.
drill-holds-all = All that was checked holds
drill-holds-not = { $n ->
    [one] { $n } point does not hold
   *[other] { $n } points do not hold
}
drill-verified = The bundle that the drill left behind verifies, and no receipt names a record that its log lacks.
drill-not-verified = The bundle that the drill left behind does not verify.
drill-wait-half = Half within { $half } ms, 99 of 100 within { $most } ms
drill-wait-none = No receipt came
drill-datagrams = Datagrams that stations sent for each record that got its receipt: { $n }.
drill-against = { $rate ->
    [one] { $rate } hostile datagram a second
   *[other] { $rate } hostile datagrams a second
}
drill-against-more = { $sent } were sent in { $seconds } s. { $received } of them reached the centre’s socket, { $rate } a second.
drill-against-none = No hostile datagram was sent
drill-time-heading = Receipts over time
drill-time-note = Line: records that got their receipt, a second (scale at the left). Grey: hostile datagrams that reached the centre’s socket, a second (scale at the right). Letters: what the drill broke on purpose.
drill-receipts-a-second = receipts a second
drill-hostile-a-second = hostile a second
drill-axis = seconds since the drill began
drill-poll-close = poll close
drill-table = The same figures as a table
drill-fault-killed = the centre killed and started again
drill-fault-cut = { $path } cut
drill-fault-loss = { $path } loses { $share } of 100 datagrams
drill-fault-delay = { $path } slower by { $ms } ms
drill-moment = { $at } s
drill-span = { $from } to { $to } s
drill-planned-datagrams = { $n } datagrams a second
drill-planned-requests = { $n } requests a second
drill-planned-connections = { $n } connections held open
drill-paths-heading = Receipts by path
drill-paths-note = Records whose first receipt came over each path, in each second. All on one scale. Bands: while the drill impaired that path.
drill-rejected-heading = What the centre turned away
drill-rejected-note = In the order of their number. The shares are of all that was turned away.
drill-rejected-none = Nothing was turned away.
drill-stations-heading = Stations with their receipt
drill-stations-note = Each square is a station, in the order of the register: solid with its receipt, empty without. The same squares at several moments, in seconds since the drill began.
drill-floods-heading = Hostile traffic by kind
drill-floods-none = The script sends no hostile traffic.
drill-faults-heading = What the drill broke on purpose
drill-latency-heading = Waiting for the receipt
drill-latency-note = From sealing to the first receipt, over all paths and tries.
drill-latency-half = Half of the records, at most
drill-latency-most = 99 of 100 records, at most
drill-latency-longest = The longest wait
drill-centre-heading = What the centre used
drill-centre-memory-before = Memory before the hostile traffic
drill-centre-memory-peak = Most memory during the drill
drill-centre-cpu-before = Processor time before the hostile traffic
drill-centre-cpu-under = Processor time under hostile traffic
drill-mebibytes = { $n } MiB
drill-cpu = { $used } s in { $of } s
drill-limit-loopback = Stations, hostile senders and the centre ran on one machine, over its loopback. A network in between has a limit of its own: a line that is full before the centre is not shown here.
drill-limit-cores = { $n ->
    [one] All of them shared { $n } processor core: the senders took time from the centre that senders elsewhere could not take.
   *[other] All of them shared { $n } processor cores: the senders took time from the centre that senders elsewhere could not take.
}
drill-limit-shared = All of them shared the machine’s processor cores: the senders took time from the centre that senders elsewhere could not take.
drill-limit-segmented = Hostile datagrams were handed to the kernel in large segments (UDP GSO), which costs the sender less than one by one.
drill-limit-single = Hostile datagrams were handed to the kernel one by one, without segmentation offload.
drill-limit-script = This drill shows what happened under its own script. It says nothing about attacks that the script does not hold.
column-second = Second
column-moment = Moment
column-receipts = Receipts
column-receipts-so-far = Receipts so far
column-hostile = Hostile datagrams received
column-with-receipt = Stations with their receipt
column-path = Path
column-kind = Kind
column-when = When
column-what = What
column-planned = Planned
column-sent = Sent
column-reason = Reason
column-count = Number
column-wait = Milliseconds
column-used = Used

## Why the centre turns something away, by its word in the centre's metrics
reason-filter = Dropped in the kernel by the socket’s filter: its length or its first bytes are not those of a record’s datagram.
reason-overflow = Lost because the receive buffer was full, whoever sent it; stations send again. An approximate figure of the kernel.
reason-short = Shorter than the smallest datagram of a record.
reason-long = Longer than any record.
reason-magic = Its first bytes are not those of a record’s datagram of this version.
reason-station = Names a station that the register does not have.
reason-epoch = Made with the keys of another epoch.
reason-tag = Its keyed tag does not hold: whoever made it does not have the station’s key for datagrams.
reason-window = Its time lies too far from the centre’s clock: an old recording, or a station whose clock is wrong.
reason-replay = Its attempt number does not rise: the same datagram was delivered before.
reason-quota = More than one station may send in that time.
reason-digest = The body is not the one that the header names.
reason-queue-full = The queue for checking signatures was full; the station sends again.
reason-too-long = The body is longer than any record, or cut off.
reason-structure = Not a sealed record in its one canonical form.
reason-key = Not signed with the key that the register gives for the station.
reason-signature = The signature does not hold.
reason-election = A statement of another election.
reason-signers = Nobody has signed the statement whose signature counts.
reason-known = Every signature of the statement is here already.
reason-no-effect = A rule keeps the statement from having an effect.
reason-source = The connection’s source held as many as one source may.
reason-full = Every place for a connection was taken.
reason-displaced = The connection had held its place longest and made room for another.
reason-handshake = The encrypted connection did not come about in time.
reason-headers = The request’s headers broke off or did not come in time.
reason-body = The request’s body broke off or did not come in time.
reason-length = The body’s length was not stated, or is more than any record’s.
reason-life = The connection was still busy at the end of its time.
reason-busy = The centre could not take the record at that moment; the sender sends again.

## Kinds of hostile traffic, by their word in the script
hostile-garbage = Random bytes of random length.
hostile-truncated = Genuine datagrams cut short.
hostile-oversized = Datagrams longer than any record.
hostile-bad-tag = The right form and real station numbers, with a made-up tag.
hostile-replay = A station’s own datagrams, captured and sent again and again.
hostile-stolen-mac = Made with a station’s stolen key for datagrams; the record is forged.
hostile-stolen-key = A valid tag over a record that names the station’s key with a signature that does not hold.
hostile-conflict = A second, different record, signed with a station’s own keys: both are published and the station is in quarantine.
hostile-slowloris = HTTP connections that send their header a byte at a time.
hostile-body-drip = HTTP connections that send their body a byte at a time.
hostile-http-post = Forged records over HTTP.

## The page of a witness
witness-title = Witness
witness-question-holds = What do I hold?
witness-question-recounted = What did I recount?
witness-question-differs = Where do I differ?
witness-held = { $n ->
    [one] { $n } entry of the log
   *[other] { $n } entries of the log
}
witness-cosigned = { $n ->
    [one] Cosigned at { $n } entry.
   *[other] Cosigned at { $n } entries.
}
witness-cosigned-none = Nothing cosigned yet.
witness-recounted = { $n ->
    [one] { $n } entry verified and counted
   *[other] { $n } entries verified and counted
}
witness-counts = Stations, once for each contest: { $counted } counted, { $quarantined } in quarantine, { $missing } missing. Records rejected: { $rejected }.
witness-differs-none = No difference found
witness-differs = { $n ->
    [one] { $n } alarm
   *[other] { $n } alarms
}
witness-same = { $n ->
    [one] The centre’s totals at { $n } entry are, byte for byte, those counted here.
   *[other] The centre’s totals at { $n } entries are, byte for byte, those counted here.
}
witness-not-compared = The centre’s totals were not compared at this size yet, or differ.
witness-trouble = At the moment: { $what }
witness-sums-heading = Sums counted here
witness-sums-note = { $n ->
    [one] Over { $n } entry of this witness’s own copy.
   *[other] Over { $n } entries of this witness’s own copy.
}
witness-compare-heading = To compare with others
witness-compare-note = At one size, every witness and every mirror of this log has the same root. Another root at the same size, signed by the log’s key, is proof of two histories: keep both checkpoints.
witness-limit-copy = This page is one witness’s own. It shows what that witness was given and counted, not what others were shown.
witness-limit-paper = Not shown: that a record agrees with the paper or the ballots of its station.

## Bulletins
bulletin-title = Bulletin { $number }
bulletin-official = Official count.
bulletin-poll = Poll of { $date }.
bulletin-made = Drafted { $when } from the first { $size } entries of the log.
bulletin-rests-on = What this bulletin rests on
bulletin-bound = Every figure is made from the first { $size } entries of the log { $origin } and from nothing else. The log’s root at that size stands below. A checkpoint of at least that size binds it: it lies beside this bulletin, signed with the log’s key and by the witnesses that the log’s policy asks for.
bulletin-signed = It is a bulletin of the electoral authority once { $threshold } of the { $of } members whom the definition names have signed the SHA-256 of its document and the log holds their signatures. They are: { $names }.
bulletin-unsigned = The definition names no electoral authority, so nobody signs this bulletin.
bulletin-redo = Whoever holds the bundle can redo every figure and compare this file: tallyproof bulletin check FILE BUNDLE.
bulletin-complete = bulletin.json and bulletin.csv hold all figures of all areas on every level; the lists of the counted stations, which are left out here, stand in them.
bulletin-compact = This bulletin has more than { $n } contests: ballot lines, parties and smaller areas are left to bulletin.json and bulletin.csv.
bulletin-rounding = A percentage is 100 times the part divided by the whole, both exact counts, rounded half up to two decimals; none is computed from rounded figures. Shares of candidates, lines and parties are of all valid votes and need not add up to 100.
bulletin-fact-document = SHA-256 of the document (bulletin.json)
bulletin-fact-totals = SHA-256 of the totals
bulletin-fact-member = Key of { $name }
limit-change = A bulletin tells a state. Later records and corrections change the figures; a later bulletin tells them.
bulletin-overview = All contests
bulletin-parts = Rejected records: { $rejected }.
bulletin-roll-share = That is { $share } of the register.
bulletin-corrected = { $n ->
    [one] As it stands, the figures of { $n } station are those of a correction
   *[other] As it stands, the figures of { $n } stations are those of a correction
}; polls annulled: { $annulled }.
bulletin-figures-note = Each is the sum over the counted records that state it; one that a record does not state is not zero. A share is given where every counted record states the figure: blank and null are of valid, blank and null votes together; voters admitted are of the voters on the rolls of the counted stations.
bulletin-more-areas = { $n ->
    [one] { $n } more area is in bulletin.csv.
   *[other] { $n } more areas are in bulletin.csv.
}
bulletin-areas-as-counted = These figures are as counted; as it stands, bulletin.csv has them.
bulletin-quarantined = { $n ->
    [one] { $n } station in quarantine, with the rules that its records fail
   *[other] { $n } stations in quarantine, with the rules that their records fail
}
bulletin-rejected = { $n ->
    [one] { $n } rejected record: station, rules that it fails, log entry
   *[other] { $n } rejected records: station, rules that they fail, log entry
}
bulletin-corrected-stations = { $n ->
    [one] { $n } station with a correction in force: reason, log entry
   *[other] { $n } stations with a correction in force: reason, log entry
}
bulletin-missing = { $n ->
    [one] { $n } missing station
   *[other] { $n } missing stations
}
bulletin-more-stations = { $n ->
    [one] { $n } more is in bulletin.json.
   *[other] { $n } more are in bulletin.json.
}
bulletin-page = Page { $page } of { $pages }
bulletin-forms = This bulletin in other forms
bulletin-pdf-english = PDF in English
bulletin-pdf-spanish = PDF in Spanish
bulletin-pdf-portuguese = PDF in Portuguese
bulletin-json = The document (JSON), which is signed
bulletin-csv = All figures (CSV)
bulletins-heading = Bulletins
bulletins-note = Each is bound to a state of the log and signed by the electoral authority.
column-contest = Contest
column-rejected = Rejected records
column-register = Share of the register
column-list = List
column-seats = Seats
column-seats-least = At least
column-seats-most = At most
column-threshold = Threshold
column-bulletin = Bulletin
column-made = Drafted
column-log-size = Log entries
column-forms = Forms
bulletin-html = Page
seats-heading = Seats, as it stands
seats-admitted = reached
seats-below-threshold = not reached
column-by-name = By name
seats-none = The seats cannot be allotted from these figures; bulletin.json has the reason.
seats-first = { $seats } seats go to the first by votes. As it stands: { $names }.
seats-method = { $seats } seats, method { $method }.
seats-star = * filled by name
seats-nominal-open = { $n ->
    [one] { $n } seat by name is open or has no votes: no list has it.
   *[other] { $n } seats by name are open or have no votes: no list has them.
}
seats-quota = Votes that a seat stands for: { $quota }.
seats-unfilled = { $n ->
    [one] { $n } seat is unfilled: no list has votes for it.
   *[other] { $n } seats are unfilled: no list has votes for them.
}
seats-open = { $n ->
    [one] { $n } seat is open: equal claims, and no declared rule decides between { $among }.
   *[other] { $n } seats are open: equal claims, and no declared rule decides between { $among }.
}
seats-by-more-votes = Equal claims of { $among }: more votes decided.
seats-by-lot = Equal claims of { $among }: the published lot decided.
seats-order = Every seat in the order of its claim: number, list, quotient (four decimals, rounded down; the exact quotients decide, and stand in bulletin.json).
settled-heading = What can still change, as it stands
settled-sentence = { $bound }; { $margin }; { $verdict }.
settled-bound = Records not included can hold at most { $most } votes
settled-unbounded = Nothing bounds the votes of records not included
settled-difference = the difference is { $n }
settled-takes = it takes { $n } votes to change the outcome
settled-nothing = no number of votes changes the outcome
settled-order-can = the order can change
settled-order-cannot = the order cannot change
settled-outcome-can = the outcome can change
settled-outcome-cannot = the outcome cannot change
settled-nearest = Of all parts { $part } is nearest to a change. { $sentence }
settled-none = Nothing is said about what can still change; bulletin.json has the reason ({ $code }).
settled-common-heading = What every statement about change rests on
settled-common = For each contest this bulletin says what can still change. Each of these statements holds if all of this holds, and what stands beside it:
settled-if-too = This holds if all that every statement here rests on holds (first page), and if:
settled-if = This holds if:
settled-limit = The statement is about these figures: it does not show that they are right. It gives no probability, because the order in which records arrive is not random.
settled-fewest = { $n ->
    [one] The fewest outstanding stations that could change it: this one.
   *[other] The fewest outstanding stations that could change it between them, { $n }:
}
premise-published = The counted votes are those that this source states; no record was checked: { $source }
premise-records = The counted votes are those of the records counted in the first { $entries } entries of the log{ $corrections }; definition { $definition }.
premise-corrections = , { $n ->
    [one] with { $n } correction in force
   *[other] with { $n } corrections in force
}
premise-allowed = , and { $n } more that the rules of the election let pass
premise-part = { $part }: { $premise }
premise-no-later-change = What is counted stays as it is: no record is corrected or annulled later.
premise-missing-unknown = The source does not say how many records are missing; no other votes come in.
premise-missing = { $n ->
    [one] The records of { $n } station are missing; no other votes come in.
   *[other] The records of { $n } stations are missing; no other votes come in.
}
premise-missing-quarantined = { $n ->
    [one] The records of { $n } station are missing
   *[other] The records of { $n } stations are missing
}, those of { $quarantined ->
    [one] { $quarantined } station
   *[other] { $quarantined } stations
} are in quarantine; no other votes come in.
premise-turnout = { $n ->
    [one] { $n } station holds
   *[other] { $n } stations hold
} at most the votes that signed turnout counters state: { $votes }{ $allowed }.
premise-registers = { $n ->
    [one] { $n } station holds
   *[other] { $n } stations hold
} at most one vote for each registered voter: { $voters }{ $allowed }.
premise-unbounded = Nothing bounds the votes of { $n ->
    [one] { $n } station
   *[other] { $n } stations
}.
premise-together-turnout = The outstanding stations hold at most the votes that their signed turnout counters state: { $n }.
premise-together-register = The outstanding stations hold at most one vote for each voter registered there: { $n }.
premise-together-less = The outstanding stations hold at most one vote for each voter registered there: { $all } in the whole register less { $counted } at the counted stations.
premise-together-less-votes = The outstanding stations hold at most one vote for each voter registered there. How many are registered at the counted stations is not stated: at least as many as there are counted votes, { $votes } of { $all } in the whole register.
premise-together-unknown = Nothing bounds the votes of the outstanding stations.
premise-one-vote = A vote that comes in is one vote, for any option or none.
premise-blank = Votes for no option count towards the total: { $n } so far.
premise-decides-parallel = The seats of lists come on top of those won by name; the parts are separate votes.
premise-decides-added = Seats won by name count towards what a list is due; whoever won more keeps them, and the house grows. The parts are separate votes.
premise-decides-within = Seats won by name are seats of the house; the other seats go one by one to the best claims after them. The parts are separate votes.
bar-more-than = more than { $share }
bar-at-least = at least { $share }
premise-decides-plurality = Asked is which option has the most votes; a tie for the first place is a change.
premise-decides-unstated = The definition states no rule for the contest. Asked is which option has the most votes; a tie for the first place is a change.
premise-decides-first = Asked is which options are the first { $seats } by votes; a tie for the last of these places is a change.
premise-decides-majority = Asked is which options have { $bar } of the votes.
premise-decides-run-off = The first is elected with { $bar } of the votes; otherwise the first two go into a run-off. Asked is who is elected or which two they are; a tie for one of these places is a change.
premise-decides-run-off-ahead = The first is elected with { $bar } of the votes, or with { $reach } and a difference to each other option of { $by } of the votes; otherwise the first two go into a run-off. Asked is who is elected or which two they are; a tie for one of these places is a change.
premise-decides-lists = { $seats } seats go to lists by { $method }. Asked is how many seats each has; a tie for a seat is a change.
premise-decides-lists-threshold = { $seats } seats go to lists by { $method }, to those with at least { $share } of the votes. Asked is which lists these are, and how many seats each has; a tie for a seat is a change.
premise-alliances = These lists get seats as one, and split them by { $method }: { $lists }.{ $threshold }
premise-alliances-as-one = { " " }They reach the threshold as one.
premise-alliances-each = { " " }Each of them has to reach the threshold.
