# Palavras das páginas e dos formulários. Texto simples: marcações são mostradas, não interpretadas.

language-name = Português
language-choice = Idioma
skip-to-content = Ir para o conteúdo
drill-banner = Simulado: estes números são um ensaio, não o resultado de uma eleição.

## Where the reader is
nav-home = Todas as disputas
nav-contest = Disputa
nav-stations = Seções
poll-day = Votação de { $date }
figures-source = Origem dos números: { $source }
log-state = Com { $size } entradas do registro
contests-heading = Disputas
open-contest = Resultados e seções

## The four questions
question-in = Quanto já chegou?
question-sum = Quanto soma?
question-order = A ordem ainda pode mudar?
question-check = Como eu mesmo verifico?

in-headline = { $held ->
    [one] { $counted } de { $held } seção contada
   *[other] { $counted } de { $held } seções contadas
}
in-rejected = { $n ->
    [one] Uma regra rejeitou { $n } ata: ela está no registro e em nenhum total.
   *[other] Uma regra rejeitou { $n } atas: elas estão no registro e em nenhum total.
}
in-none-rejected = Nenhuma ata foi rejeitada.

status-counted = Contada
status-quarantined = Em quarentena
status-missing = Ausente
status-counted-means = nos totais
status-quarantined-means = registrada, mas uma regra pede esclarecimento; fora dos totais
status-missing-means = ainda sem uma ata que possa valer; nunca tomada como zero

sum-headline = { $n ->
    [one] { $n } voto válido contado
   *[other] { $n } votos válidos contados
}
sum-legend = Cheio: contado. Claro: o máximo que as seções não contadas ainda poderiam somar. Linha: onde terminam os votos contados do primeiro lugar.
sum-legend-unknown = Cheio: contado. O máximo que ainda poderia ser somado não é desenhado porque não é conhecido.
sum-more = { $n ->
    [one] Mais { $n } candidatura está na tabela abaixo.
   *[other] Mais { $n } candidaturas estão na tabela abaixo.
}
share-rule = Os percentuais são dos votos válidos contados, arredondados a 0,01% (metade para cima); não precisam somar 100%.

order-bound = As atas não incluídas podem conter no máximo { $most } votos; a diferença entre o primeiro e o segundo lugar é de { $difference }.
order-unknown = As atas não incluídas podem conter um número desconhecido de votos, porque { $n ->
    [one] { $n } seção entre elas não tem eleitorado que a limite
   *[other] { $n } seções entre elas não têm eleitorado que as limite
}. As demais seções entre elas podem conter no máximo { $most } votos. A diferença entre o primeiro e o segundo lugar é de { $difference }.
order-one = Esta disputa tem uma só candidatura, portanto não há ordem. As atas não incluídas podem conter no máximo { $most } votos.
order-one-unknown = Esta disputa tem uma só candidatura, portanto não há ordem.
premises = Premissas
premise-register = A lista de seções está completa: { $n } seções votam nesta disputa.
premise-roll = Nenhuma seção não incluída contém mais cédulas do que o seu eleitorado mais uma tolerância de { $n } (regra BO-01).
premise-stand = As atas contadas ficam como estão.
limits = O que isto não mostra
limit-order = As seções não informam em ordem aleatória: dos números parciais não se segue nenhuma probabilidade.
limit-counting = Aqui se pode verificar a soma. Não se pode verificar se as seções contaram bem as cédulas.
limit-fraud = Um número incomum nunca prova uma irregularidade, e não achar nenhum nunca prova a exatidão.

check-intro = Esta página é parte de uma pasta que contém todas as atas em que se baseia. Copie a pasta e execute:
check-does = O comando refaz as assinaturas, o registro, as regras e as somas, e lista tudo o que não se confirma.
check-trust = Obtenha o resumo da definição e a chave do registro para o arquivo de confiança fora desta pasta: um jornal, um partido, papel. Sem eles, só se mostra que a pasta concorda consigo mesma.
check-compare = Compare com uma cópia de outra origem
fact-definition = Resumo da definição
fact-origin = Registro
fact-key = Chave do registro
fact-size = Entradas
fact-root = Raiz de Merkle

## Tables
candidates-heading = Candidaturas
lines-heading = Opções da cédula
lines-note = O que o eleitorado marcou. Os votos de uma candidatura são a soma das opções que a nomeiam.
parties-heading = Partidos
parties-note = Os votos de um partido são a soma das suas opções na cédula.
figures-heading = Outros números
figures-note = Cada um é a soma das atas contadas que o informam. Um número que uma ata não informa não é zero.
figures-roll = As seções contadas têm { $counted } eleitores, de { $all } na lista de seções.
figures-roll-unknown = { $n ->
    [one] A lista não dá o eleitorado de { $n } seção; ela não está em nenhum dos dois números.
   *[other] A lista não dá o eleitorado de { $n } seções; elas não estão em nenhum dos dois números.
}
areas-heading = Por área
areas-note = Cada seção é um quadrado. As tabelas abaixo contêm os mesmos números.
area-direct = Fora de uma área menor
stations-heading = Seções
stations-note = Seções que votam nesta disputa, com as suas entradas do registro e as regras que as suas atas não cumprem.
stations-all = Todas as seções e as suas atas
stations-range = Seções { $from } a { $to } de { $n }
none-here = Nenhuma.
data-heading = Dados
data-stations = Situação de cada seção (CSV)
data-totals = Totais (JSON)
data-register = Lista de seções (CSV)
data-ballot = Opções da cédula (CSV)
data-checkpoint = Ponto de controle do registro

column-candidate = Candidatura
column-line = Opção
column-party = Partido
column-votes = Votos
column-share = Percentual
column-area = Área
column-held = Seções
column-counted = Contadas
column-quarantined = Em quarentena
column-missing = Ausentes
column-others = Outras
column-figure = Número
column-sum = Soma
column-stated = Atas que o informam
column-number = Número
column-station = Seção
column-rules = Regras
column-entries = Entradas do registro

## Rules
rules-heading = As regras nomeadas acima
rule-remedy = O que fazer
severity-warn = Aviso: contada, e à vista
severity-quarantine = Quarentena: não contada até ser esclarecida
severity-reject = Rejeição: no registro, nunca contada

## Figures of a record
figure-blank = Votos em branco
figure-null = Votos nulos
figure-voters = Votantes admitidos
figure-registered = Eleitores da seção
figure-total = Total informado
figure-valid = Votos válidos
figure-cast = Cédulas depositadas

## The station's form and queue, in the terminal
form-title = Ata da seção { $station }, disputa { $contest }
form-count = Votos de { $line }:
form-figure = { $figure } (vazio se o papel não diz):
form-sum = Soma até aqui: { $n }
form-not-a-count = “{ $input }” não é uma quantidade. Escreva um número inteiro, como 0 ou 127.
form-findings = { $n ->
    [one] A ata não cumpre { $n } regra:
   *[other] A ata não cumpre { $n } regras:
}
form-no-findings = A ata cumpre todas as regras.
form-confirm = Selar esta ata? Uma ata selada não pode ser alterada. (sim/não)
form-answer-yes = sim
form-answer-no = não
form-sealed = Selada: { $file }
form-not-sealed = Não selada. Nada foi escrito.
receipt-received = Recibo da seção { $station }, disputa { $contest }: o centro tem a ata.
receipt-waiting = Ainda sem recibo da seção { $station }, disputa { $contest }; nova tentativa em { $seconds } s.
receipt-rejected = O centro rejeitou a ata da seção { $station }, disputa { $contest }:
queue-empty = Todas as atas seladas têm o seu recibo.
queue-waiting = { $n ->
    [one] { $n } ata selada espera o seu recibo.
   *[other] { $n } atas seladas esperam o seu recibo.
}
