#!/usr/bin/env escript
%%! -noshell
%% Prints what real Erlang does with exits, links, monitors, names and aliases, one line per case:
%%
%%     case-id | cause | reason | traps | outcome
%%
%% tests/tests/exit_table runs the same cases on beamish and compares. Nothing here waits for
%% time to pass: every answer is fenced by a message, a monitor, or by the link being gone.
%%
%% The subject is the process a case is about. It is linked to and monitored by this script, which
%% traps exits, so a death shows as "dies; seen as Reason" only when link and monitor agree.
-mode(compile).

main(_) ->
    logger:set_primary_config(level, none),
    process_flag(trap_exit, true),
    io:format("# case-id | cause | reason | traps | outcome~n"),
    io:format("# Made by ci/golden from real Erlang. Do not edit: run `ci/golden --write`.~n"),
    [row(exit2(R, T)) || R <- reasons(), T <- [no, yes]],
    [row(exit2_self(R, T)) || R <- reasons(), T <- [no, yes]],
    [row(exit1(R)) || R <- reasons()],
    [row(Row) || Row <- [body_returns(), body_crashes()]],
    [row(peer_ends(R, T)) || R <- reasons(), T <- [no, yes]],
    [row(Case(T)) || Case <- trap_cases(), T <- [no, yes]],
    [row(monitored(R)) || R <- reasons()],
    [row(Case()) || Case <- plain_cases()],
    ok.

reasons() -> [normal, kill, killed, shutdown, {shutdown, bye}, noproc, boom].

trap_cases() ->
    [fun peer_killed/1, fun peer_crashes/1, fun peer_linked_us/1, fun child_ends_at_once/1,
     fun chain_killed/1, fun chain_ends_kill/1, fun link_dead/1, fun link_self/1,
     fun exit2_from_linked/1].

plain_cases() ->
    [fun link_twice/0, fun link_twice_unlink_once/0, fun unlink_then_death/0,
     fun unlink_not_linked/0, fun unlink_late/0, fun relink/0, fun trap_turned_off/0,
     fun monitored_killed/0, fun monitored_crash/0, fun monitor_dead/0, fun monitor_free_name/0,
     fun monitor_name/0, fun monitor_twice/0, fun monitor_self/0, fun monitor_child_gone/0,
     fun demonitor_active/0, fun demonitor_late/0, fun demonitor_flush_active/0,
     fun demonitor_flush_late/0, fun demonitor_twice/0,
     fun send_dead/0, fun send_free_name/0, fun exit2_dead/0, fun is_alive_dead/0,
     fun register_taken/0, fun register_again/0, fun register_second_name/0, fun register_dead/0,
     fun unregister_free/0, fun whereis_free/0, fun name_free_at_down/0, fun name_free_at_exit/0,
     fun register_after_death/0,
     fun alias_dropped/0, fun alias_reply/0, fun unalias_twice/0, fun alias_monitor_down/0,
     fun alias_demonitored/0, fun cancel_twice/0, fun timer_dead_target/0].

%% Exit signals and exits of the subject itself

exit2(Reason, Traps) ->
    S = start(Traps),
    exit(pid(S), Reason),
    {"exit2", "exit/2 from another process", Reason, Traps, outcome(S)}.

exit2_self(Reason, Traps) ->
    S = start(Traps),
    do(S, fun() -> exit(self(), Reason) end),
    {"exit2-self", "exit/2 to itself", Reason, Traps, outcome(S)}.

exit1(Reason) ->
    S = start(no),
    do(S, fun() -> exit(Reason) end),
    {"exit1", "exit/1", Reason, none, outcome(S)}.

body_returns() ->
    S = start(no),
    pid(S) ! stop,
    {"body-returns", "the body returns", none, none, await_end(S)}.

body_crashes() ->
    S = start(no),
    do(S, fun() -> error(boom) end),
    {"body-crashes", "the body crashes", none, none, outcome(S)}.

%% Links

peer_ends(Reason, Traps) ->
    {S, Peer} = linked(Traps),
    tell(Peer, fun() -> exit(Reason) end),
    {"peer-ends", "linked peer ended with exit/1", Reason, Traps, after_peer(S, Peer)}.

peer_killed(Traps) ->
    {S, Peer} = linked(Traps),
    exit(Peer, kill),
    {"peer-killed", "linked peer killed by exit/2", kill, Traps, after_peer(S, Peer)}.

peer_crashes(Traps) ->
    {S, Peer} = linked(Traps),
    tell(Peer, fun() -> error(boom) end),
    {"peer-crashes", "linked peer crashed", none, Traps, after_peer(S, Peer)}.

peer_linked_us(Traps) ->
    S = start(Traps),
    Subject = pid(S),
    Peer = spawn(fun loop/0),
    ask(Peer, fun() -> link(Subject) end),
    tell(Peer, fun() -> exit(boom) end),
    {"peer-linked-us", "peer that made the link ended", boom, Traps, after_peer(S, Peer)}.

child_ends_at_once(Traps) ->
    S = start(Traps),
    case do(S, fun() -> spawn_link(fun() -> exit(boom) end) end) of
        {alive, Child} -> Outcome = after_peer(S, Child);
        _ -> Outcome = outcome(S)
    end,
    {"child-ends-at-once", "spawn_link of a child that ends at once", boom, Traps, Outcome}.

chain_killed(Traps) ->
    {S, Near, Far} = chain(Traps),
    exit(Far, kill),
    {"chain-killed", "killed process two links away", kill, Traps, after_peer(S, Near)}.

chain_ends_kill(Traps) ->
    {S, Near, Far} = chain(Traps),
    tell(Far, fun() -> exit(kill) end),
    {"chain-ends-kill", "exit/1 two links away", kill, Traps, after_peer(S, Near)}.

link_dead(Traps) ->
    S = start(Traps),
    Dead = dead(),
    {alive, Result} = do(S, fun() -> attempt(fun() -> link(Dead) end) end),
    {"link-dead", "link to a dead pid", noproc, Traps, [Result, "; ", outcome(S)]}.

link_self(Traps) ->
    S = start(Traps),
    {alive, Result} = do(S, fun() -> attempt(fun() -> link(self()) end) end),
    {"link-self", "link to itself", none, Traps, [Result, "; ", outcome(S)]}.

exit2_from_linked(Traps) ->
    {S, Peer} = linked(Traps),
    Subject = pid(S),
    ask(Peer, fun() -> exit(Subject, normal) end),
    tell(Peer, fun() -> exit(boom) end),
    {"exit2-then-end", "linked peer sent normal by exit/2, then ended", boom, Traps,
     after_peer(S, Peer)}.

link_twice() ->
    {S, Peer} = linked(yes),
    do(S, fun() -> link(Peer), link(Peer) end),
    tell(Peer, fun() -> exit(boom) end),
    {"link-twice", "linked twice, peer ended", boom, yes, after_peer(S, Peer)}.

link_twice_unlink_once() ->
    {S, Peer} = linked(no),
    do(S, fun() -> link(Peer), unlink(Peer) end),
    end_fenced(S, Peer),
    {"link-twice-unlink-once", "linked twice, unlinked once, peer ended", boom, no, outcome(S)}.

unlink_then_death() ->
    {S, Peer} = linked(no),
    do(S, fun() -> unlink(Peer) end),
    end_fenced(S, Peer),
    {"unlink-then-death", "unlinked, peer ended", boom, no, outcome(S)}.

unlink_not_linked() ->
    S = start(no),
    Dead = dead(),
    {alive, Result} = do(S, fun() -> attempt(fun() -> unlink(Dead) end) end),
    {"unlink-not-linked", "unlink of a pid never linked", none, no, [Result, "; ", outcome(S)]}.

unlink_late() ->
    {S, Peer} = linked(yes),
    tell(Peer, fun() -> exit(boom) end),
    fence(S, Peer),
    do(S, fun() -> unlink(Peer) end),
    {"unlink-late", "unlink with the EXIT message already queued", boom, yes, outcome(S)}.

relink() ->
    {S, Peer} = linked(yes),
    do(S, fun() -> unlink(Peer), link(Peer) end),
    tell(Peer, fun() -> exit(boom) end),
    {"relink", "unlinked, linked again, peer ended", boom, yes, after_peer(S, Peer)}.

trap_turned_off() ->
    S = start(yes),
    exit(pid(S), first),
    do(S, fun() -> process_flag(trap_exit, false) end),
    exit(pid(S), boom),
    {"trap-turned-off", "exit/2 after trapping was turned off", boom, no, outcome(S)}.

%% Monitors

monitored(Reason) ->
    {S, Peer, Mon} = watching(),
    tell(Peer, fun() -> exit(Reason) end),
    {"monitored", "monitored process ended with exit/1", Reason, no, down(S, Mon)}.

monitored_killed() ->
    {S, Peer, Mon} = watching(),
    exit(Peer, kill),
    {"monitored-killed", "monitored process killed by exit/2", kill, no, down(S, Mon)}.

monitored_crash() ->
    {S, Peer, Mon} = watching(),
    tell(Peer, fun() -> error(boom) end),
    {"monitored-crash", "monitored process crashed", none, no, down(S, Mon)}.

monitor_dead() ->
    S = start(no),
    Dead = dead(),
    {alive, Mon} = do(S, fun() -> monitor(process, Dead) end),
    {"monitor-dead", "monitor of a dead pid", noproc, no, down(S, Mon)}.

monitor_free_name() ->
    S = start(no),
    {alive, Mon} = do(S, fun() -> monitor(process, free_name) end),
    {"monitor-free-name", "monitor of a free name", noproc, no, down(S, Mon)}.

monitor_name() ->
    S = start(no),
    Peer = spawn(fun loop/0),
    register(watched, Peer),
    {alive, Mon} = do(S, fun() -> monitor(process, watched) end),
    tell(Peer, fun() -> exit(boom) end),
    {"monitor-name", "monitored by name, ended", boom, no, down(S, Mon)}.

monitor_twice() ->
    {S, Peer, First} = watching(),
    {alive, Second} = do(S, fun() -> monitor(process, Peer) end),
    tell(Peer, fun() -> exit(boom) end),
    [do(S, fun() -> await_down(Mon) end) || Mon <- [First, Second]],
    {"monitor-twice", "monitored twice, ended", boom, no, outcome(S)}.

monitor_self() ->
    S = start(no),
    {alive, Result} = do(S, fun() -> attempt(fun() -> monitor(process, self()) end) end),
    {"monitor-self", "monitor of itself", none, no, [Result, "; ", outcome(S)]}.

monitor_child_gone() ->
    S = start(no),
    {alive, Mon} = do(S, fun() -> element(2, spawn_monitor(fun() -> exit(boom) end)) end),
    {"monitor-child-gone", "spawn_monitor of a child that ends at once", boom, no, down(S, Mon)}.

demonitor_active() ->
    {S, Peer, Mon} = watching(),
    {alive, Was} = do(S, fun() -> demonitor(Mon, [info]) end),
    end_fenced(S, Peer),
    {"demonitor-active", "demonitored while active, then it ended", boom, no,
     [was(Was), "; ", outcome(S)]}.

demonitor_late() ->
    {S, Was} = demonitored_late([info]),
    {"demonitor-late", "demonitored with the DOWN message queued", boom, no,
     [was(Was), "; ", outcome(S)]}.

demonitor_flush_active() ->
    {S, Peer, Mon} = watching(),
    {alive, Was} = do(S, fun() -> demonitor(Mon, [flush, info]) end),
    end_fenced(S, Peer),
    {"demonitor-flush-active", "demonitored with flush while active", boom, no,
     [was(Was), "; ", outcome(S)]}.

demonitor_flush_late() ->
    {S, Was} = demonitored_late([flush, info]),
    {"demonitor-flush-late", "demonitored with flush, DOWN message queued", boom, no,
     [was(Was), "; ", outcome(S)]}.

demonitor_twice() ->
    {S, Peer, Mon} = watching(),
    {alive, Was} = do(S, fun() -> demonitor(Mon), demonitor(Mon, [info]) end),
    end_fenced(S, Peer),
    {"demonitor-twice", "demonitored a second time", boom, no, [was(Was), "; ", outcome(S)]}.

demonitored_late(Options) ->
    {S, Peer, Mon} = watching(),
    tell(Peer, fun() -> exit(boom) end),
    {alive, Was} = do(S, fun() -> await_down(Mon), demonitor(Mon, Options) end),
    {S, Was}.

%% Dead pids, names

send_dead() ->
    Dead = dead(),
    {"send-dead", "send to a dead pid", none, none, attempt(fun() -> Dead ! hello end)}.

send_free_name() ->
    {"send-free-name", "send to a free name", none, none, attempt(fun() -> free_name ! hello end)}.

exit2_dead() ->
    Dead = dead(),
    {"exit2-dead", "exit/2 to a dead pid", boom, none, attempt(fun() -> exit(Dead, boom) end)}.

is_alive_dead() ->
    {"is-alive-dead", "is_alive of a dead pid", none, none, atom_to_list(is_process_alive(dead()))}.

register_taken() ->
    register(taken, self()),
    S = start(no),
    Result = attempt(fun() -> register(taken, pid(S)) end),
    unregister(taken),
    {"register-taken", "register a name that another process has", none, none, Result}.

register_again() ->
    register(taken, self()),
    Result = attempt(fun() -> register(taken, self()) end),
    unregister(taken),
    {"register-again", "register the same name for the same pid", none, none, Result}.

register_second_name() ->
    register(taken, self()),
    Result = attempt(fun() -> register(another, self()) end),
    unregister(taken),
    {"register-second-name", "register a second name for a pid", none, none, Result}.

register_dead() ->
    Dead = dead(),
    {"register-dead", "register a dead pid", none, none,
     attempt(fun() -> register(dead_name, Dead) end)}.

unregister_free() ->
    {"unregister-free", "unregister a free name", none, none,
     attempt(fun() -> unregister(free_name) end)}.

whereis_free() ->
    {"whereis-free", "whereis of a free name", none, none, holder(free_name)}.

name_free_at_down() ->
    Results = [name_after(fun(Pid) ->
                   Mon = monitor(process, Pid),
                   tell(Pid, fun() -> exit(boom) end),
                   receive {'DOWN', Mon, process, Pid, boom} -> ok end
               end) || _ <- lists:seq(1, 200)],
    {"name-free-at-down", "holder of the name when its DOWN is seen", boom, none,
     lists:usort(Results)}.

name_free_at_exit() ->
    Results = [name_after(fun(Pid) ->
                   link(Pid),
                   tell(Pid, fun() -> exit(boom) end),
                   receive {'EXIT', Pid, boom} -> ok end
               end) || _ <- lists:seq(1, 200)],
    {"name-free-at-exit", "holder of the name when its EXIT is seen", boom, none,
     lists:usort(Results)}.

name_after(End) ->
    Pid = spawn(fun loop/0),
    register(short_lived, Pid),
    End(Pid),
    holder(short_lived).

register_after_death() ->
    name_after(fun(Pid) ->
        Mon = monitor(process, Pid),
        exit(Pid, kill),
        receive {'DOWN', Mon, process, Pid, killed} -> ok end
    end),
    Result = attempt(fun() -> register(short_lived, self()) end),
    unregister(short_lived),
    {"register-after-death", "register the name of a process seen down", kill, none, Result}.

%% Aliases, timers

alias_dropped() ->
    S = start(no),
    do(S, fun() -> A = alias(), unalias(A), A ! late end),
    {"alias-dropped", "send to an alias turned off", none, no, outcome(S)}.

alias_reply() ->
    S = start(no),
    do(S, fun() -> A = alias([reply]), A ! first, A ! second end),
    {"alias-reply", "two sends to a reply alias", none, no, outcome(S)}.

unalias_twice() ->
    A = alias(),
    Results = [was(unalias(A)), ", then ", was(unalias(A))],
    {"unalias-twice", "unalias a second time", none, none, Results}.

alias_monitor_down() ->
    S = start(no),
    Dead = dead(),
    {alive, Mon} = do(S, fun() -> monitor(process, Dead, [{alias, demonitor}]) end),
    do(S, fun() -> await_down(Mon), Mon ! late end),
    {"alias-monitor-down", "send to a monitor's alias after DOWN", noproc, no, outcome(S)}.

alias_demonitored() ->
    S = start(no),
    do(S, fun() ->
        Mon = monitor(process, self(), [{alias, demonitor}]),
        demonitor(Mon),
        Mon ! late
    end),
    {"alias-demonitored", "send to a monitor's alias after demonitor", none, no, outcome(S)}.

cancel_twice() ->
    Timer = erlang:send_after(1000000, self(), late),
    Results = [left(erlang:cancel_timer(Timer)), ", then ", left(erlang:cancel_timer(Timer))],
    {"cancel-twice", "cancel_timer a second time", none, none, Results}.

timer_dead_target() ->
    Dead = dead(),
    {"timer-dead-target", "send_after to a dead pid", none, none,
     attempt(fun() -> erlang:send_after(1000000, Dead, late) end)}.

%% The subject: it runs what it is told, and leaves every other message in its mailbox

start(Traps) ->
    S = spawn_opt(fun loop/0, [link, monitor]),
    do(S, fun() -> process_flag(trap_exit, Traps =:= yes) end),
    S.

pid({Pid, _Mon}) -> Pid.

loop() ->
    receive
        {do, From, Ref, Fun} -> From ! {Ref, Fun()}, loop();
        stop -> ok
    end.

tell(Pid, Fun) -> Pid ! {do, self(), make_ref(), Fun}.

ask(Pid, Fun) ->
    Ref = make_ref(),
    Pid ! {do, self(), Ref, Fun},
    receive {Ref, Value} -> Value end.

do({Pid, Mon}, Fun) ->
    Ref = make_ref(),
    Pid ! {do, self(), Ref, Fun},
    receive
        {Ref, Value} -> {alive, Value};
        {'DOWN', Mon, process, Pid, Reason} = Down -> self() ! Down, {dead, Reason}
    end.

linked(Traps) ->
    S = start(Traps),
    {alive, Peer} = do(S, fun() -> spawn_link(fun loop/0) end),
    {S, Peer}.

chain(Traps) ->
    {S, Near} = linked(Traps),
    Far = ask(Near, fun() -> spawn_link(fun loop/0) end),
    {S, Near, Far}.

watching() ->
    S = start(no),
    Peer = spawn(fun loop/0),
    {alive, Mon} = do(S, fun() -> monitor(process, Peer) end),
    {S, Peer, Mon}.

dead() ->
    {Pid, Mon} = spawn_monitor(fun() -> ok end),
    receive {'DOWN', Mon, process, Pid, normal} -> ok end,
    wait(fun() -> not is_process_alive(Pid) end),
    Pid.

%% Runs in the subject: waits for the DOWN of Mon and leaves it in the mailbox.
await_down(Mon) ->
    receive {'DOWN', Mon, _, _, _} = Down -> self() ! Down end.

down(S, Mon) ->
    do(S, fun() -> await_down(Mon) end),
    outcome(S).

%% Ends Peer, which the subject neither watches nor is linked to any more, and returns when the
%% subject has seen a later monitor's DOWN: nothing sent before it can still be on its way.
end_fenced(S, Peer) ->
    {alive, Mon} = do(S, fun() -> monitor(process, Peer) end),
    tell(Peer, fun() -> exit(boom) end),
    do(S, fun() -> receive {'DOWN', Mon, _, _, _} -> ok end end).

after_peer(S, Peer) ->
    fence(S, Peer),
    outcome(S).

%% Returns when the subject has acted on the end of Peer: their link is gone, or the subject is.
fence(S, Peer) ->
    wait(fun() ->
        case do(S, fun() -> element(2, process_info(self(), links)) end) of
            {alive, Links} -> not lists:member(Peer, Links);
            {dead, _} -> true
        end
    end).

wait(Condition) ->
    case Condition() of
        true -> ok;
        false -> erlang:yield(), wait(Condition)
    end.

%% Outcomes as text

outcome({Pid, _} = S) ->
    case do(S, fun() -> drain() end) of
        {alive, Messages} ->
            unlink(Pid),
            exit(Pid, kill),
            ["lives; saw ", join(Messages)];
        {dead, _} ->
            await_end(S)
    end.

await_end({Pid, Mon}) ->
    Down = receive {'DOWN', Mon, process, Pid, R1} -> reason(R1) end,
    Exit = receive {'EXIT', Pid, R2} -> reason(R2) end,
    case Down =:= Exit of
        true -> ["dies; seen as ", Down];
        false -> ["dies; link says ", Exit, ", monitor says ", Down]
    end.

drain() ->
    receive
        {'EXIT', _, Reason} -> [["EXIT ", reason(Reason)] | drain()];
        {'DOWN', _, process, {Name, _}, Reason} ->
            [["DOWN ", atom_to_list(Name), " ", reason(Reason)] | drain()];
        {'DOWN', _, process, _, Reason} -> [["DOWN ", reason(Reason)] | drain()];
        Other -> [reason(Other) | drain()]
    after 0 -> []
    end.

join([]) -> "nothing";
join(Messages) -> lists:join(", ", Messages).

attempt(Fun) ->
    try Fun() of _ -> "returns"
    catch
        error:noproc -> "fails with noproc";
        error:_ -> "fails"
    end.

was(true) -> "was active";
was(false) -> "was not active".

left(false) -> "no timer";
left(Time) when is_integer(Time) -> "time left".

holder(Name) ->
    case whereis(Name) of
        undefined -> "nobody";
        _ -> "somebody"
    end.

reason(none) -> "-";
reason({boom, [_ | _]}) -> "crash";
reason(Reason) -> io_lib:format("~w", [Reason]).

row({Id, Cause, Reason, Traps, Outcome}) ->
    io:format("~s | ~s | ~s | ~s | ~s~n", [Id, Cause, reason(Reason), reason(Traps), Outcome]).
