#!/usr/bin/env escript
%% Decodes AMQP with RabbitMQ's own parser and encodes it again with its own generator, to compare them with another
%% codec. One command a line on stdin, `table x00ff`, `properties x00ff` or `queue.declare x00ff`; one line of JSON
%% each on stdout. Needs RabbitMQ's plugins folder in ERL_LIBS.

-mode(compile).
-define(FRAMING, rabbit_framing_amqp_0_9_1).

main(_) ->
    {module, _} = code:ensure_loaded(?FRAMING),
    serve().

serve() ->
    case io:get_line("") of
        eof -> ok;
        Line ->
            [Kind, [$x | Digits]] = string:lexemes(string:trim(Line), " "),
            Answer = try answer(Kind, unhex(Digits))
                     catch _:Reason:_ -> #{error => iolist_to_binary(io_lib:format("~0p", [reason(Reason)]))}
                     end,
            io:put_chars([rabbit_json:encode(Answer), "\n"]),
            serve()
    end.

answer("table", <<Length:32, Fields:Length/binary>>) ->
    Table = rabbit_binary_parser:parse_table(Fields),
    Written = iolist_to_binary(rabbit_binary_generator:generate_table(Table)),
    #{value => table(Table), written => hex(<<(byte_size(Written)):32, Written/binary>>)};
answer("properties", Bytes) ->
    Record = ?FRAMING:decode_properties(60, Bytes),
    Values = [value(Value) || Value <- tl(tuple_to_list(Record))],
    #{value => Values, written => hex(iolist_to_binary(?FRAMING:encode_properties(Record)))};
answer(Name, Bytes) ->
    Method = list_to_existing_atom(Name),
    Record = ?FRAMING:decode_method_fields(Method, Bytes),
    Values = [value(Value) || Value <- tl(tuple_to_list(Record))],
    {ClassId, MethodId} = ?FRAMING:method_id(Method),
    #{ids => [ClassId, MethodId],
      fields => ?FRAMING:method_fieldnames(Method),
      content => ?FRAMING:method_has_content(Method),
      value => Values,
      written => hex(iolist_to_binary(?FRAMING:encode_method_fields(Record)))}.

table(Table) -> [[hex(Name) | typed(Type, Value)] || {Name, Type, Value} <- Table].

typed(table, Value) -> [table, table(Value)];
typed(array, Value) -> [array, [typed(Type, Item) || {Type, Item} <- Value]];
typed(decimal, {Scale, Digits}) -> [decimal, Scale, Digits];
typed(void, _) -> [void];
typed(Type, Value) -> [Type, value(Value)].

value(Value) when is_integer(Value) -> integer_to_binary(Value);
value(Value) when is_float(Value) -> hex(<<Value/float>>);
value(Value) when is_binary(Value) -> hex(Value);
value(Value) when is_list(Value) -> table(Value);
value(undefined) -> null;
value(Value) when is_boolean(Value) -> Value.

reason({Reason, _}) -> Reason;
reason(Reason) -> Reason.

hex(Bytes) -> iolist_to_binary([io_lib:format("~2.16.0b", [Octet]) || <<Octet>> <= Bytes]).

unhex([High, Low | Rest]) -> <<(list_to_integer([High, Low], 16)), (unhex(Rest))/binary>>;
unhex([]) -> <<>>.
