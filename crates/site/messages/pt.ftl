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
log-open = O registro não está encerrado: pode haver mais.
log-finished = O registro está encerrado: nada se segue.
log-cosigned = Testemunhas que coassinaram as suas primeiras { $size } entradas: { $names }.
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

premises = Premissas
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

## Correções e referendos
stands-heading = Como apurado e como está em vigor
stands-note = Como apurado são os números das atas das próprias seções. Como está em vigor põe no lugar deles os números das correções em vigor. Nada mais difere.
stands-notice = { $n ->
    [one] Estes números são como apurado. Há { $n } correção em vigor; o que está em vigor é mostrado ao lado, mais abaixo.
   *[other] Estes números são como apurado. Há { $n } correções em vigor; o que está em vigor é mostrado ao lado, mais abaixo.
}
column-as-counted = Como apurado
column-as-it-stands = Em vigor
column-difference = Diferença
stands-stations = Seções apuradas
corrections-heading = Correções
corrections-note = Cada uma está assinada por tantos membros da autoridade eleitoral quantos a definição pede. A que foi substituída por outra posterior continua na lista. O efeito é o que mudou em relação ao que valia antes.
column-stage = Etapa
column-effect = Efeito
column-signed = Assinada por
stage-canvass = Apuração oficial
stage-ruling = Decisão
stage-rerun = Votação repetida
correction-replaced = substituída por uma correção posterior
correction-annuls = A votação da seção nesta disputa deixa de contar.
correction-no-change = Não mudam os votos de nenhuma candidatura.
correction-counts-station = A seção não era contada antes.
correction-uncounts-station = A seção já não é contada.
endorsed = { $n ->
    [one] { $n } ata está referendada: um fiscal, um observador ou a própria seção também a assinou.
   *[other] { $n } atas estão referendadas: um fiscal, um observador ou a própria seção também as assinou.
}
station-corrected = corrigida, entrada { $entry } do registro
station-annulled = anulada, entrada { $entry } do registro
data-statements = Declarações: correções, referendos, chaves, políticas (JSON)
correction-re-01 = Um número foi digitado errado; a ata em papel da seção tem o certo.
correction-re-02 = A própria ata em papel da seção estava errada; a autoridade estabeleceu os números certos.
correction-re-03 = Não chegou nenhuma ata que pudesse ser contada; estes são os números da ata em papel.
correction-re-04 = Chegaram atas diferentes; valem estes números.
correction-re-05 = Uma regra manteve a ata à parte; seus números foram examinados, e valem estes.
correction-re-06 = As cédulas foram contadas de novo.
correction-re-07 = Um tribunal ou órgão eleitoral decidiu.
correction-re-08 = A votação da seção foi anulada.
correction-re-09 = A votação da seção foi repetida.
correction-re-10 = Uma correção anterior estava errada.

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

## The report of a drill
drill-report = Relatório do simulado
drill-seed = Semente { $seed }
drill-question-in = Quantas seções têm o seu recibo?
drill-question-holds = Tudo se confirma?
drill-question-wait = Quanto demorou um recibo?
drill-question-against = O que veio contra?
drill-in = { $of ->
    [one] { $have } de { $of } seção tem o seu recibo
   *[other] { $have } de { $of } seções têm o seu recibo
}
drill-in-records = { $of ->
    [one] { $have } de { $of } ata tem recibo.
   *[other] { $have } de { $of } atas têm recibo.
}
drill-in-most = 97 de cada 100 atas tinham o seu { $seconds } s depois do fim da votação.
drill-holds-all = Tudo o que foi verificado se confirma
drill-holds-not = { $n ->
    [one] { $n } ponto não se confirma
   *[other] { $n } pontos não se confirmam
}
drill-verified = A pasta que o simulado deixou se verifica, e nenhum recibo nomeia uma ata que falte no seu registro.
drill-not-verified = A pasta que o simulado deixou não se verifica.
drill-wait-half = Metade em { $half } ms, 99 de cada 100 em { $most } ms
drill-wait-none = Nenhum recibo chegou
drill-datagrams = Datagramas que as seções enviaram por ata que obteve o seu recibo: { $n }.
drill-against = { $rate ->
    [one] { $rate } datagrama hostil por segundo
   *[other] { $rate } datagramas hostis por segundo
}
drill-against-more = Foram enviados { $sent } em { $seconds } s. Destes, { $received } chegaram à porta do centro, { $rate } por segundo.
drill-against-none = Nenhum datagrama hostil foi enviado
drill-time-heading = Recibos ao longo do tempo
drill-time-note = Linha: atas que obtiveram o seu recibo, por segundo (escala à esquerda). Cinza: datagramas hostis que chegaram à porta do centro, por segundo (escala à direita). Letras: o que o simulado avariou de propósito.
drill-receipts-a-second = recibos por segundo
drill-hostile-a-second = hostis por segundo
drill-axis = segundos desde o início do simulado
drill-poll-close = fim da votação
drill-table = Os mesmos números em uma tabela
drill-fault-killed = o centro, interrompido e reiniciado
drill-fault-cut = { $path } cortada
drill-fault-loss = { $path } perde { $share } de cada 100 datagramas
drill-fault-delay = { $path } mais lenta em { $ms } ms
drill-moment = { $at } s
drill-span = { $from } a { $to } s
drill-planned-datagrams = { $n } datagramas por segundo
drill-planned-requests = { $n } requisições por segundo
drill-planned-connections = { $n } conexões abertas ao mesmo tempo
drill-paths-heading = Recibos por via
drill-paths-note = Atas cujo primeiro recibo chegou por cada via, em cada segundo. Todas na mesma escala. Faixas: enquanto o simulado avariou essa via.
drill-rejected-heading = O que o centro não admitiu
drill-rejected-note = Em ordem de quantidade. Os percentuais são de tudo o que não foi admitido.
drill-rejected-none = Nada deixou de ser admitido.
drill-stations-heading = Seções com o seu recibo
drill-stations-note = Cada quadrado é uma seção, na ordem da lista: cheio com o seu recibo, vazio sem ele. Os mesmos quadrados em vários momentos, em segundos desde o início do simulado.
drill-floods-heading = Tráfego hostil por tipo
drill-floods-none = O roteiro não envia tráfego hostil.
drill-faults-heading = O que o simulado avariou de propósito
drill-latency-heading = A espera do recibo
drill-latency-note = Da selagem ao primeiro recibo, por todas as vias e com todas as tentativas.
drill-latency-half = Metade das atas, no máximo
drill-latency-most = 99 de cada 100 atas, no máximo
drill-latency-longest = A espera mais longa
drill-centre-heading = O que o centro usou
drill-centre-memory-before = Memória antes do tráfego hostil
drill-centre-memory-peak = Máximo de memória durante o simulado
drill-centre-cpu-before = Tempo de processador antes do tráfego hostil
drill-centre-cpu-under = Tempo de processador sob o tráfego hostil
drill-mebibytes = { $n } MiB
drill-cpu = { $used } s em { $of } s
drill-limit-loopback = As seções, os emissores hostis e o centro funcionaram em uma só máquina, pela sua interface local. Uma rede intermediária tem o seu próprio limite: aqui não se mostra uma linha que se enche antes do centro.
drill-limit-cores = { $n ->
    [one] Todos dividiram { $n } núcleo de processador: os emissores tomaram do centro um tempo que emissores de outro lugar não poderiam tomar.
   *[other] Todos dividiram { $n } núcleos de processador: os emissores tomaram do centro um tempo que emissores de outro lugar não poderiam tomar.
}
drill-limit-shared = Todos dividiram os núcleos de processador da máquina: os emissores tomaram do centro um tempo que emissores de outro lugar não poderiam tomar.
drill-limit-segmented = Os datagramas hostis foram entregues ao núcleo do sistema em segmentos grandes (UDP GSO), o que custa ao emissor menos do que um por um.
drill-limit-single = Os datagramas hostis foram entregues ao núcleo do sistema um por um, sem descarga de segmentação.
drill-limit-script = Este simulado mostra o que ocorreu com o seu próprio roteiro. Não diz nada sobre ataques que o roteiro não contém.
column-second = Segundo
column-moment = Momento
column-receipts = Recibos
column-receipts-so-far = Recibos até então
column-hostile = Datagramas hostis recebidos
column-with-receipt = Seções com o seu recibo
column-path = Via
column-kind = Tipo
column-when = Quando
column-what = O quê
column-planned = Previsto
column-sent = Enviados
column-reason = Motivo
column-count = Quantidade
column-wait = Milissegundos
column-used = Uso

## Why the centre turns something away, by its word in the centre's metrics
reason-filter = Descartado no núcleo do sistema pelo filtro da porta: o seu comprimento ou os seus primeiros bytes não são os do datagrama de uma ata.
reason-overflow = Perdido porque a memória de recepção estava cheia, de quem quer que fosse; as seções reenviam. Número aproximado do núcleo do sistema.
reason-short = Mais curto do que o menor datagrama de uma ata.
reason-long = Mais longo do que qualquer ata.
reason-magic = Os seus primeiros bytes não são os do datagrama de uma ata desta versão.
reason-station = Nomeia uma seção que não está na lista.
reason-epoch = Feito com as chaves de outra época.
reason-tag = A sua etiqueta com chave não se confirma: quem o fez não tem a chave da seção para datagramas.
reason-window = A sua hora está longe demais do relógio do centro: uma gravação antiga, ou uma seção com o relógio errado.
reason-replay = O seu número de tentativa não aumenta: o mesmo datagrama já tinha sido entregue.
reason-quota = Mais do que uma seção pode enviar nesse tempo.
reason-digest = O corpo não é o que o cabeçalho nomeia.
reason-queue-full = A fila para verificar assinaturas estava cheia; a seção reenvia.
reason-too-long = O corpo é mais longo do que qualquer ata, ou está cortado.
reason-structure = Não é uma ata selada na sua única forma canônica.
reason-key = Não está assinada com a chave que a lista dá para a seção.
reason-signature = A assinatura não se confirma.
reason-election = Uma declaração de outra eleição.
reason-signers = Ninguém cuja assinatura conte assinou a declaração.
reason-known = Todas as assinaturas da declaração já estão aqui.
reason-no-effect = Uma regra impede que a declaração tenha efeito.
reason-source = A origem da conexão já tinha tantas quantas uma só pode ter.
reason-full = Todos os lugares para conexões estavam ocupados.
reason-displaced = A conexão era a que ocupava o seu lugar há mais tempo e deu lugar a outra.
reason-handshake = A conexão cifrada não se estabeleceu a tempo.
reason-headers = Os cabeçalhos do pedido foram interrompidos ou não chegaram a tempo.
reason-body = O corpo do pedido foi interrompido ou não chegou a tempo.
reason-length = O comprimento do corpo não foi indicado, ou é maior do que o de qualquer ata.
reason-life = A conexão ainda estava ocupada no fim do seu tempo.
reason-busy = O centro não pôde receber a ata nesse momento; quem a envia reenvia.

## Kinds of hostile traffic, by their word in the script
hostile-garbage = Bytes aleatórios, de comprimento aleatório.
hostile-truncated = Datagramas autênticos, cortados.
hostile-oversized = Datagramas mais longos do que qualquer ata.
hostile-bad-tag = A forma correta e números de seção reais, com uma etiqueta inventada.
hostile-replay = Datagramas próprios de uma seção, capturados e enviados repetidamente.
hostile-stolen-mac = Feitos com a chave roubada de uma seção para datagramas; a ata é forjada.
hostile-stolen-key = Uma etiqueta válida sobre uma ata que nomeia a chave da seção com uma assinatura que não se confirma.
hostile-conflict = Uma segunda ata, diferente, assinada com as chaves da seção: ambas são publicadas e a seção fica em quarentena.
hostile-slowloris = Conexões HTTP que enviam o seu cabeçalho byte a byte.
hostile-body-drip = Conexões HTTP que enviam o seu corpo byte a byte.
hostile-http-post = Atas forjadas por HTTP.

## The page of a witness
witness-title = Testemunha
witness-question-holds = O que guardo?
witness-question-recounted = O que recontei?
witness-question-differs = Em que difiro?
witness-held = { $n ->
    [one] { $n } entrada do registro
   *[other] { $n } entradas do registro
}
witness-cosigned = { $n ->
    [one] Coassinado com { $n } entrada.
   *[other] Coassinado com { $n } entradas.
}
witness-cosigned-none = Nada coassinado ainda.
witness-recounted = { $n ->
    [one] { $n } entrada verificada e contada
   *[other] { $n } entradas verificadas e contadas
}
witness-counts = Seções, uma vez para cada disputa: { $counted } contadas, { $quarantined } em quarentena, { $missing } faltantes. Atas rejeitadas: { $rejected }.
witness-differs-none = Nenhuma diferença encontrada
witness-differs = { $n ->
    [one] { $n } alarme
   *[other] { $n } alarmes
}
witness-same = { $n ->
    [one] Os totais do centro com { $n } entrada são, byte por byte, os contados aqui.
   *[other] Os totais do centro com { $n } entradas são, byte por byte, os contados aqui.
}
witness-not-compared = Os totais do centro ainda não foram comparados com este tamanho, ou diferem.
witness-trouble = Neste momento: { $what }
witness-sums-heading = Somas contadas aqui
witness-sums-note = { $n ->
    [one] Sobre { $n } entrada da cópia própria desta testemunha.
   *[other] Sobre { $n } entradas da cópia própria desta testemunha.
}
witness-compare-heading = Para comparar com outros
witness-compare-note = Com um mesmo tamanho, todas as testemunhas e todos os espelhos deste registro têm a mesma raiz. Outra raiz com o mesmo tamanho, assinada pela chave do registro, prova duas histórias: guarde ambos os pontos de controle.
witness-limit-copy = Esta página é de uma só testemunha. Mostra o que essa testemunha recebeu e contou, não o que foi mostrado a outros.
witness-limit-paper = Não se mostra: que uma ata coincida com o papel ou as cédulas de sua seção.

## Bulletins
bulletin-title = Boletim { $number }
bulletin-official = Apuração oficial.
bulletin-poll = Votação de { $date }.
bulletin-made = Redigido em { $when } a partir das primeiras { $size } entradas do registro.
bulletin-rests-on = Em que este boletim se baseia
bulletin-bound = Cada número vem das primeiras { $size } entradas do registro { $origin } e de nada mais. A raiz do registro com esse tamanho está abaixo. Um ponto de controle de pelo menos esse tamanho a fixa: está ao lado deste boletim, assinado com a chave do registro e pelas testemunhas que a política do registro pede.
bulletin-signed = É um boletim da autoridade eleitoral quando { $threshold } dos { $of } membros que a definição nomeia tiverem assinado o SHA-256 do seu documento e o registro contiver as suas assinaturas. São: { $names }.
bulletin-unsigned = A definição não nomeia nenhuma autoridade eleitoral, portanto ninguém assina este boletim.
bulletin-redo = Quem tiver o pacote pode refazer cada número e comparar este arquivo: tallyproof bulletin check FILE BUNDLE.
bulletin-complete = bulletin.json e bulletin.csv contêm todos os números de todas as áreas em cada nível; as listas das seções contadas, omitidas aqui, estão neles.
bulletin-compact = Este boletim tem mais de { $n } disputas: as opções da cédula, os partidos e as áreas menores ficam para bulletin.json e bulletin.csv.
bulletin-rounding = Um percentual é 100 vezes a parte dividida pelo todo, ambos contagens exatas, arredondado a duas casas (metade para cima); nenhum é calculado a partir de números arredondados. Os de candidaturas, opções e partidos são de todos os votos válidos e não precisam somar 100.
bulletin-fact-document = SHA-256 do documento (bulletin.json)
bulletin-fact-totals = SHA-256 dos totais
bulletin-fact-member = Chave de { $name }
limit-change = Um boletim conta um estado. Atas e correções posteriores mudam os números; um boletim posterior os conta.
bulletin-overview = Todas as disputas
bulletin-parts = Atas rejeitadas: { $rejected }.
bulletin-roll-share = É { $share } da lista.
bulletin-corrected = { $n ->
    [one] Como está em vigor, os números de { $n } seção são os de uma correção
   *[other] Como está em vigor, os números de { $n } seções são os de uma correção
}; votações anuladas: { $annulled }.
bulletin-figures-note = Cada um é a soma das atas contadas que o informam; o que uma ata não informa não é zero. Dá-se um percentual onde todas as atas contadas informam o número: em branco e nulos são dos votos válidos, em branco e nulos juntos; os votantes admitidos são dos eleitores das seções contadas.
bulletin-more-areas = { $n ->
    [one] Mais { $n } área está em bulletin.csv.
   *[other] Mais { $n } áreas estão em bulletin.csv.
}
bulletin-areas-as-counted = Estes números são como apurado; como está em vigor, estão em bulletin.csv.
bulletin-quarantined = { $n ->
    [one] { $n } seção em quarentena, com as regras que as suas atas não cumprem
   *[other] { $n } seções em quarentena, com as regras que as suas atas não cumprem
}
bulletin-rejected = { $n ->
    [one] { $n } ata rejeitada: seção, regras que não cumpre, entrada do registro
   *[other] { $n } atas rejeitadas: seção, regras que não cumprem, entrada do registro
}
bulletin-corrected-stations = { $n ->
    [one] { $n } seção com uma correção em vigor: motivo, entrada do registro
   *[other] { $n } seções com uma correção em vigor: motivo, entrada do registro
}
bulletin-missing = { $n ->
    [one] { $n } seção ausente
   *[other] { $n } seções ausentes
}
bulletin-more-stations = { $n ->
    [one] Mais { $n } está em bulletin.json.
   *[other] Mais { $n } estão em bulletin.json.
}
bulletin-page = Página { $page } de { $pages }
bulletin-forms = Este boletim em outras formas
bulletin-pdf-english = PDF em inglês
bulletin-pdf-spanish = PDF em espanhol
bulletin-pdf-portuguese = PDF em português
bulletin-json = O documento (JSON), que é o que se assina
bulletin-csv = Todos os números (CSV)
bulletins-heading = Boletins
bulletins-note = Cada um está ligado a um estado do registro e assinado pela autoridade eleitoral.
column-contest = Disputa
column-rejected = Atas rejeitadas
column-register = Parte da lista
column-list = Lista
column-seats = Cadeiras
column-seats-least = No mínimo
column-seats-most = No máximo
column-threshold = Cláusula de barreira
column-bulletin = Boletim
column-made = Redigido
column-log-size = Entradas do registro
column-forms = Formas
bulletin-html = Página
seats-heading = Cadeiras, como está em vigor
seats-admitted = atingida
seats-below-threshold = não atingida
column-by-name = Por nome
seats-none = As cadeiras não podem ser atribuídas com estes números; bulletin.json tem a razão.
seats-first = { $seats } cadeiras vão aos primeiros por votos. Como está em vigor: { $names }.
seats-method = { $seats } cadeiras, método { $method }.
seats-star = * preenchida por nome
seats-nominal-open = { $n ->
    [one] { $n } cadeira por nome está em aberto ou sem votos: nenhuma lista a tem.
   *[other] { $n } cadeiras por nome estão em aberto ou sem votos: nenhuma lista as tem.
}
seats-quota = Votos que correspondem a uma cadeira: { $quota }.
seats-unfilled = { $n ->
    [one] { $n } cadeira fica vaga: nenhuma lista tem votos para ela.
   *[other] { $n } cadeiras ficam vagas: nenhuma lista tem votos para elas.
}
seats-open = { $n ->
    [one] { $n } cadeira fica em aberto: quocientes iguais, e nenhuma regra declarada decide entre { $among }.
   *[other] { $n } cadeiras ficam em aberto: quocientes iguais, e nenhuma regra declarada decide entre { $among }.
}
seats-by-more-votes = Quocientes iguais de { $among }: decidiram mais votos.
seats-by-lot = Quocientes iguais de { $among }: decidiu o sorteio publicado.
seats-order = Cada cadeira na ordem do seu quociente: número, lista, quociente (quatro casas, para baixo; decidem os quocientes exatos, que estão em bulletin.json).
settled-heading = O que ainda pode mudar, como está em vigor
settled-sentence = { $bound }; { $margin }; { $verdict }.
settled-bound = As atas não incluídas podem conter no máximo { $most } votos
settled-unbounded = Nada limita os votos das atas não incluídas
settled-difference = a diferença é de { $n }
settled-takes = são necessários { $n } votos para mudar o resultado
settled-nothing = nenhum número de votos muda o resultado
settled-order-can = a ordem pode mudar
settled-order-cannot = a ordem não pode mudar
settled-outcome-can = o resultado pode mudar
settled-outcome-cannot = o resultado não pode mudar
settled-nearest = De todas as partes, { $part } é a mais próxima de uma mudança. { $sentence }
settled-none = Nada se diz sobre o que ainda pode mudar; bulletin.json tem a razão ({ $code }).
settled-common-heading = Em que se baseia cada afirmação sobre mudanças
settled-common = Para cada disputa este boletim diz o que ainda pode mudar. Cada uma dessas afirmações vale se tudo isto valer, e o que está ao lado dela:
settled-if-too = Isto vale se valer tudo em que se baseia cada afirmação (primeira página), e se:
settled-if = Isto vale se:
settled-limit = A afirmação trata destes números: não mostra que estejam certos. Não dá nenhuma probabilidade, porque a ordem em que as atas chegam não é aleatória.
settled-fewest = { $n ->
    [one] O menor número de seções pendentes que poderia mudá-lo: esta.
   *[other] O menor número de seções pendentes que poderiam mudá-lo entre elas, { $n }:
}
premise-published = Os votos contados são os que esta fonte informa; nenhuma ata foi verificada: { $source }
premise-records = Os votos contados são os das atas contadas nas primeiras { $entries } entradas do registro{ $corrections }; definição { $definition }.
premise-corrections = , { $n ->
    [one] com { $n } correção em vigor
   *[other] com { $n } correções em vigor
}
premise-allowed = , e mais { $n } que as regras da eleição deixam passar
premise-part = { $part }: { $premise }
premise-no-later-change = O que está contado fica como está: nenhuma ata é corrigida ou anulada depois.
premise-missing-unknown = A fonte não diz quantas atas faltam; não chegam outros votos.
premise-missing = { $n ->
    [one] Faltam as atas de { $n } seção; não chegam outros votos.
   *[other] Faltam as atas de { $n } seções; não chegam outros votos.
}
premise-missing-quarantined = { $n ->
    [one] Faltam as atas de { $n } seção
   *[other] Faltam as atas de { $n } seções
}, as de { $quarantined ->
    [one] { $quarantined } seção
   *[other] { $quarantined } seções
} estão em quarentena; não chegam outros votos.
premise-turnout = { $n ->
    [one] { $n } seção contém
   *[other] { $n } seções contêm
} no máximo os votos que os contadores de comparecimento assinados informam: { $votes }{ $allowed }.
premise-registers = { $n ->
    [one] { $n } seção contém
   *[other] { $n } seções contêm
} no máximo um voto por eleitor inscrito: { $voters }{ $allowed }.
premise-unbounded = Nada limita os votos de { $n ->
    [one] { $n } seção
   *[other] { $n } seções
}.
premise-together-turnout = As seções pendentes contêm no máximo os votos que os seus contadores de comparecimento assinados informam: { $n }.
premise-together-register = As seções pendentes contêm no máximo um voto por eleitor nelas inscrito: { $n }.
premise-together-less = As seções pendentes contêm no máximo um voto por eleitor nelas inscrito: { $all } em toda a lista menos { $counted } nas seções contadas.
premise-together-less-votes = As seções pendentes contêm no máximo um voto por eleitor nelas inscrito. Não se informa quantos estão inscritos nas seções contadas: pelo menos tantos quantos os votos contados, { $votes } de { $all } em toda a lista.
premise-together-unknown = Nada limita os votos das seções pendentes.
premise-one-vote = Um voto que chega é um voto, para qualquer opção ou para nenhuma.
premise-blank = Os votos para nenhuma opção contam no total: { $n } até agora.
premise-decides-parallel = As cadeiras de listas somam-se às obtidas por nome; as partes são votos separados.
premise-decides-added = As cadeiras obtidas por nome contam para o que cabe a uma lista; quem obteve mais as mantém, e a casa cresce. As partes são votos separados.
premise-decides-within = As cadeiras obtidas por nome são cadeiras da casa; as demais vão uma a uma aos melhores quocientes depois delas. As partes são votos separados.
bar-more-than = mais de { $share }
bar-at-least = pelo menos { $share }
premise-decides-plurality = Pergunta-se qual opção tem mais votos; um empate no primeiro lugar é uma mudança.
premise-decides-unstated = A definição não informa nenhuma regra para a disputa. Pergunta-se qual opção tem mais votos; um empate no primeiro lugar é uma mudança.
premise-decides-first = Pergunta-se quais opções são as primeiras { $seats } por votos; um empate no último desses lugares é uma mudança.
premise-decides-majority = Pergunta-se quais opções têm { $bar } dos votos.
premise-decides-run-off = A primeira é eleita com { $bar } dos votos; senão, as duas primeiras vão a um segundo turno. Pergunta-se quem é eleita ou quais são as duas; um empate num desses lugares é uma mudança.
premise-decides-run-off-ahead = A primeira é eleita com { $bar } dos votos, ou com { $reach } e uma diferença para cada uma das outras de { $by } dos votos; senão, as duas primeiras vão a um segundo turno. Pergunta-se quem é eleita ou quais são as duas; um empate num desses lugares é uma mudança.
premise-decides-lists = { $seats } cadeiras vão a listas por { $method }. Pergunta-se quantas cadeiras cada uma tem; um empate por uma cadeira é uma mudança.
premise-decides-lists-threshold = { $seats } cadeiras vão a listas por { $method }, às que têm pelo menos { $share } dos votos. Pergunta-se quais são essas listas e quantas cadeiras cada uma tem; um empate por uma cadeira é uma mudança.
premise-alliances = Estas listas obtêm cadeiras como uma só e as repartem por { $method }: { $lists }.{ $threshold }
premise-alliances-as-one = { " " }Atingem a cláusula como uma só.
premise-alliances-each = { " " }Cada uma delas tem de atingir a cláusula.
