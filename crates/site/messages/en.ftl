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

order-bound = Records not included can hold at most { $most } votes; the difference between first and second is { $difference }.
order-unknown = Records not included can hold an unknown number of votes, because { $n ->
    [one] { $n } station among them has no roll to bound it
   *[other] { $n } stations among them have no roll to bound them
}. The other stations among them can hold at most { $most } votes. The difference between first and second is { $difference }.
order-one = This contest has one candidate, so there is no order. Records not included can hold at most { $most } votes.
order-one-unknown = This contest has one candidate, so there is no order.
premises = Premises
premise-register = The register is complete: { $n } stations vote in this contest.
premise-roll = No station that is not included holds more ballots than its roll plus an allowance of { $n } (rule BO-01).
premise-stand = Records that are counted stay as they are.
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
